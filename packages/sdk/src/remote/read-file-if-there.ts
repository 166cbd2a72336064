import { readFile } from "node:fs/promises";
import { SecretsError } from "@flyte-secrets/core";

/** A file's text, or undefined when there is none. `invalid_config` when it is there and cannot be read. */
export async function readFileIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SecretsError("invalid_config", `${path} cannot be read (${String(code)}).`, { cause });
  }
}
