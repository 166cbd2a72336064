import { randomUUID } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { hasSystemCode, SecretsError } from "@flyte-secrets/core";
import { assertPrivate, syncDirectory } from "../embedded/store-directory.ts";

/**
 * The text of a file that is this user's alone, or undefined when there is none; empty for what is no file. `unsafe_permissions`
 * when it is a symbolic link, somebody else's or open to others.
 */
export function readPrivateFile(path: string): string | undefined {
  let descriptor: number;
  try {
    // Without O_NONBLOCK a pipe put in its place would hold up the whole process.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasSystemCode(error, "ENOENT")) return undefined;
    if (!hasSystemCode(error, "ELOOP")) throw error;
    throw new SecretsError("unsafe_permissions", `${path} is a symbolic link. Put the file itself there.`);
  }
  try {
    const stats = fstatSync(descriptor);
    assertPrivate(path, stats, "600");
    return stats.isFile() ? readFileSync(descriptor, "utf8") : "";
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Writes a file (0600) whole or not at all, durably. With `replace: false` an existing file is left as it is and the answer is
 * false: of several processes that try at once, one writes.
 */
export function writePrivateFile(path: string, text: string, options: { readonly replace: boolean }): boolean {
  const draft = `${path}.${randomUUID()}`;
  const descriptor = openSync(draft, "wx", 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
    if (options.replace) renameSync(draft, path);
    else linkSync(draft, path);
    syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (!options.replace && hasSystemCode(error, "EEXIST")) return false;
    throw error;
  } finally {
    closeSync(descriptor);
    rmSync(draft, { force: true });
  }
}
