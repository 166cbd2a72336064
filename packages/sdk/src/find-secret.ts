import { readFileSync } from "node:fs";
import { SecretsError } from "@flyte-secrets/core";
import { type PlaceOptions, type SecretPlaces, type SecretQuery, secretPlaces } from "./secret-places.ts";

/**
 * The bytes of a secret that this process was given, from the first place that has it. `secret_not_readable` when no place
 * has it (the message names the request to add and every place), or when a file is there and cannot be read.
 */
export function findSecret(query: SecretQuery, options: PlaceOptions): Uint8Array {
  const places = secretPlaces(query, options);
  for (const name of places.variables) {
    const value = options.variables[name];
    if (value !== undefined) return Buffer.from(value);
  }
  for (const path of places.files) {
    const bytes = readIfThere(path);
    if (bytes !== undefined) return bytes;
  }
  throw notGiven(query, places, options.isRun ?? true);
}

function readIfThere(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    // A directory is the group's, and a name that cannot exist is a form of ours that this manager doesn't use.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ENAMETOOLONG") return undefined;
    throw new SecretsError(
      "secret_not_readable",
      `${path} is there but cannot be read (${String(code)}): check its mode and owner.`,
      {
        cause,
      },
    );
  }
}

function notGiven(query: SecretQuery, places: SecretPlaces, isRun: boolean): SecretsError {
  const parts = (["group", "groupVersion", "key"] as const).filter((name) => query[name]);
  const request = parts.map((name) => `${name}: ${JSON.stringify(query[name])}`).join(", ");
  const brief = isRun
    ? `This task was not given the secret with ${request}. ` +
      `Add secretRequests: [new Secret({ ${request} })] to the task or to a workflow that calls it.`
    : `Nothing has given this process the secret with ${request}: run its task with flyte-secrets run FILE TASK.`;
  return new SecretsError(
    "secret_not_readable",
    `${brief} Looked at the variables ${places.variables.join(", ")} and the files ${places.files.join(", ")}.`,
    { brief },
  );
}
