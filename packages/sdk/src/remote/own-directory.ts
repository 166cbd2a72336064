import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { SecretsError } from "@flyte-secrets/core";

/** Whether a file or directory belongs to this user and nobody else can write it. Windows has neither owners nor modes to check. */
export function isOwn(stats: Stats): boolean {
  const user = process.geteuid?.();
  return user === undefined || (stats.uid === user && (stats.mode & 0o022) === 0);
}

/** Whether the directory is there. `unsafe_permissions` when it isn't this user's, or others may write it. */
export async function checkDirectory(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined || !stats.isDirectory()) return false;
  assertOwn(path, stats);
  return true;
}

/** Throws `unsafe_permissions` for what isn't {@link isOwn}, saying why and what to do. */
export function assertOwn(path: string, stats: Stats): void {
  if (isOwn(stats)) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const problem =
    stats.uid === process.geteuid?.()
      ? `can be written by other users (mode ${mode}). Run: chmod 700 ${path}`
      : `belongs to user ${stats.uid}. Set SECRET_STORE_PATH to a directory of your own, or name an endpoint`;
  throw new SecretsError("unsafe_permissions", `${path}, where the server of this user would be, ${problem}.`);
}
