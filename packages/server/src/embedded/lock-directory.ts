import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretsError } from "@flyte-secrets/core";
import { makePrivateFile } from "../store/store-directory.ts";
import { isBusy, toStoreError } from "../store/store-error.ts";

/**
 * Makes this process the only server on a data directory until it calls the function that is returned, or ends in whatever way: the
 * lock is the system's (SQLite's, on `server.lock`), so that a killed process leaves none.
 * @throws SecretsError `listen_failed` when another server has it; as the store for a directory that can't be written.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, "server.lock");
  try {
    makePrivateFile(path);
    const connection = new DatabaseSync(path, { timeout: 0 });
    try {
      connection.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      connection.close();
      throw error;
    }
    return () => connection.close();
  } catch (error) {
    if (!isBusy(error)) throw toStoreError(error, path);
    throw new SecretsError(
      "listen_failed",
      `another server runs on ${directory}: stop it, or give this one a data directory of its own (secret.store.path)`,
      { cause: error },
    );
  }
}
