import { readFile } from "node:fs/promises";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";
import type { Config } from "@flyte-secrets/server/local";
import type { Host } from "../host.ts";

/** The Global manager as it is on this machine: over this process's variables and files. */
export function globalSecrets({ secrets }: Config, host: Host): GlobalInjectorOptions {
  return {
    readVariable: (name) => host.env[name],
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
