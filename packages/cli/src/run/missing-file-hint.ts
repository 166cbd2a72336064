import { SECRETS_DIRECTORY } from "@flyte-secrets/inject";
import type { ErrorOnWire } from "./error-on-wire.ts";

/** What to do about code that opens `/etc/flyte/secrets/...`, where a pod has its files and this machine has none. */
export function missingFileHint(error: ErrorOnWire): string[] {
  const path = error.system?.path ?? "";
  const isThere = path === SECRETS_DIRECTORY || path.startsWith(`${SECRETS_DIRECTORY}/`);
  if (!isThere) return (error.causes ?? []).flatMap(missingFileHint).slice(0, 3);
  const parts = path.slice(SECRETS_DIRECTORY.length).split("/").filter(Boolean);
  const [key, group] = parts.reverse().map((part) => JSON.stringify(part));
  return [
    `  ${SECRETS_DIRECTORY} is there in a pod alone; run has the files elsewhere. Read it with:`,
    `    currentContext().getSecret(${group ?? "undefined"}, ${key ?? '"KEY"'})`,
    "  or open it below process.env.FLYTE_SECRETS_DEFAULT_DIR.",
  ];
}
