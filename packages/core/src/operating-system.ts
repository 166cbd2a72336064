import { isAbsolute } from "node:path";
import { SecretsError } from "./errors.ts";
import { quote } from "./foreign-text.ts";

/** The part of `node:os` that is used. */
interface System {
  homedir(): string;
  userInfo(): { readonly homedir: string };
}

/**
 * The user's home directory: `HOME`, or where that is unset or empty, the one in the user database. Throws `usage` when
 * there is none, or when it is relative: a store must not depend on the working directory.
 */
export function homeDirectory(system: System): string {
  const home = orNone(() => system.homedir()) || orNone(() => system.userInfo().homedir);
  if (isAbsolute(home)) return home;
  const problem = home === "" ? "this user has no home directory" : `the home directory ${quote(home)} is not absolute`;
  throw new SecretsError("usage", `${problem}; set HOME to an absolute path`);
}

/** Node throws for a user who isn't in the user database, as in a container with an arbitrary user id. */
function orNone(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** Owner and mode of a file or directory; a part of Node's `Stats`. */
export interface FileOwnership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/**
 * Describes, for a message, who besides this user and root may write a file or directory; undefined when nobody may. A
 * group with the user's own id counts as the user, because many systems create one for each user and make files
 * writable for it. Nothing is checked without a user (Windows).
 */
export function otherWriter({ uid, gid, mode }: FileOwnership, user: number | undefined): string | undefined {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0) return `it belongs to user ${uid}`;
  const others = gid === user ? 0o002 : 0o022;
  if ((mode & others) !== 0) return `other users may write it (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`;
  return undefined;
}

/** Descriptions of system error codes. */
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

/** Describes why a file operation failed, never with content. `own` replaces descriptions by more specific ones. */
export function systemReason(error: unknown, own: Readonly<Record<string, string>> = {}): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
  return own[code] ?? REASONS[code] ?? code;
}

/** Whether an error is of this system error code, such as `ENOENT`. */
export function hasSystemCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
