import { readFile } from "node:fs/promises";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";
import type { Config } from "../config/schema.ts";

/** Where the Global manager looks: variables and files of the process that runs it, as `secrets` of the configuration says. */
export function globalSecrets(
  { secrets }: Config,
  env: Readonly<Record<string, string | undefined>>,
): GlobalInjectorOptions {
  return {
    readVariable: (name) => env[name],
    readFile: readIfThere,
    envPrefix: secrets["env-prefix"],
    directory: secrets["secrets-prefix"],
  };
}

async function readIfThere(path: string): Promise<SecretValue | undefined> {
  try {
    return SecretValue.fromBytes(await readFile(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR"))
      return undefined;
    throw new SecretsError("store_unavailable", `${path}: cannot be read`, { cause: error });
  }
}
