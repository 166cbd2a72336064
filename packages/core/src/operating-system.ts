import { isAbsolute } from "node:path";
import { SecretsError } from "./errors.ts";
import { quote } from "./foreign-text.ts";

/** What is asked of the system: `node:os`. */
interface System {
  homedir(): string;
  userInfo(): { readonly homedir: string };
}

/**
 * This user's home: `HOME`, or where that is unset or empty, what the system knows of the user. `usage` when there is none,
 * or one that would be another in each working directory: a store must not come to lie wherever somebody happens to be.
 */
export function homeDirectory(system: System): string {
  const home = orNone(() => system.homedir()) || orNone(() => system.userInfo().homedir);
  if (isAbsolute(home)) return home;
  const problem = home === "" ? "this user has no home directory" : `the home directory ${quote(home)} is not absolute`;
  throw new SecretsError("usage", `${problem}; set HOME to an absolute path`);
}

/** Node throws for a user whom the system doesn't know, as in a container under any user number. */
function orNone(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** What the system says of a file or directory; Node's `Stats` has it. */
export interface FileOwnership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * Who besides this user and root may write a file or directory, in words for a message; undefined when nobody may. A group with the
 * user's own number counts as the user's: many systems make one for each user, and let it write the user's files. Without a user
 * (Windows) there is nothing to look at.
 */
export function otherWriter({ uid, gid, mode }: FileOwnership, user: number | undefined): string | undefined {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0) return `it belongs to user ${uid}`;
  const others = gid === user ? 0o002 : 0o022;
  if ((mode & others) !== 0) return `other users may write it (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`;
  return undefined;
}

/** In words, by the names that Node gives to what the operating system refuses. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "it exists already",
  EFBIG: "it would be larger than a file of this user may be",
  EISDIR: "it is a directory",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "no such file",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is not a directory",
  EROFS: "the file system is read-only",
};

/** Why the system refused a file, in words: never the content. `own` are words that fit better where it was refused. */
export function systemReason(error: unknown, own: Readonly<Record<string, string>> = {}): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
  return own[code] ?? REASONS[code] ?? code;
}

/** Whether a file system call failed with this system code, such as `ENOENT`. */
export function hasSystemCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
