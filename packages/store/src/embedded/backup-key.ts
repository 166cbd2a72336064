import { SecretsError } from "@flyte-secrets/core";
import { keptKeyFile, type StoreDirectory } from "./directory.ts";
import { type MasterKey, readKeyFile, readNextKey } from "./master-key.ts";

export interface BackupKeyOptions {
  /** The backup, as its user names it. */
  readonly file: string;
  /** The master key that it was made under. */
  readonly keyId: string;
  /** The key that was passed in. */
  readonly given: MasterKey | undefined;
}

/**
 * Throws unless the master key of a backup is available to restore it: the given one, or one of the directory's key
 * files. `store_key_missing` and `store_key_wrong` name the key that is needed, the one that was found, and where to
 * put it.
 */
export function assertBackupKey(directory: StoreDirectory, { file, keyId, given }: BackupKeyOptions): void {
  const { keyFile } = directory;
  const keptFile = keptKeyFile(directory, keyId);
  const holds = (path: string) => readKeyFile(path)?.id === keyId;
  const need = `${file} was made under the master key ${keyId}`;
  if (given) {
    if (given.id === keyId) return;
    const there = [keyFile, keptFile].find((path) => isIn(path, keyId));
    const remedy = there ? `Unset it: ${there} holds that key.` : "Set it to that key.";
    throw wrong(`${need}, and FLYTE_SECRETS_MASTER_KEY holds ${given.id}. ${remedy}`);
  }
  const present = readKeyFile(keyFile);
  if (present?.id === keyId || (present && holds(keptFile)) || readNextKey(directory)?.id === keyId) return;
  if (present) {
    throw wrong(`${need}, and ${keyFile} holds ${present.id}. Put that key beside it as ${keptFile} (mode 0600).`);
  }
  const from = holds(keptFile) ? `, from ${keptFile}` : "";
  throw new SecretsError(
    "store_key_missing",
    `${need}. Put that key in place as ${keyFile} (mode 0600)${from}, or set FLYTE_SECRETS_MASTER_KEY to it. ` +
      "Nothing was changed.",
  );
}

/** Whether a file holds that key; false if it can't be read as a key. */
function isIn(path: string, keyId: string): boolean {
  try {
    return readKeyFile(path)?.id === keyId;
  } catch {
    return false;
  }
}

const wrong = (message: string) => new SecretsError("store_key_wrong", `${message} Nothing was changed.`);
