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
