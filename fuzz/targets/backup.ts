import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SecretId, SecretValue } from "@flyte-secrets/core";
import { backupStore, openEmbeddedStore, restoreStore } from "@flyte-secrets/store";
import { pino } from "pino";
import { type FuzzTarget, unlessRefusedLater } from "../target.ts";

const REFUSED = ["store_damaged", "store_key_wrong", "store_key_missing", "store_too_new", "invalid_argument"] as const;
const IDS: readonly SecretId[] = ["a", "b"].map((name) => ({ org: "flyte", domain: "", project: "", name }));
const expectedValue = ({ name }: SecretId) => `value of ${name}`;

/** The file that `restore` takes. What is restored holds the values that were backed up, and no others. */
export const target: FuzzTarget = {
  seeds: ["SQLite format 3\0", ""],
  dictionary: ["SQLite format 3\0", "CREATE TRIGGER", "secrets", "keyring", "\xff\xff\xff\xff", "\0\0\0\0"],
  maxBytes: 262_144,
  async open() {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-fuzz-"));
    const [file, source, copy] = ["backup.db", "source", "copy"].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const options = { log: pino({ level: "silent" }), masterKey: Uint8Array.from(randomBytes(32)) };
    const store = await openEmbeddedStore({ ...options, directory: source });
    for (const id of IDS) await store.create(id, { type: "generic", value: SecretValue.fromText(expectedValue(id)) });
    await store.close();
    await backupStore({ directory: source, file, masterKey: options.masterKey });
    return {
      seeds: [readFileSync(file)],
      async run(bytes) {
        writeFileSync(file, bytes);
        try {
          const restored = await unlessRefusedLater(REFUSED, async () => {
            await restoreStore({ file, directory: copy, masterKey: options.masterKey });
            return openEmbeddedStore({ ...options, directory: copy });
          });
          if (!restored) return;
          for (const id of IDS) {
            const text = (await unlessRefusedLater(REFUSED, () => restored.read(id)))?.revealText();
            assert(text === undefined || text === expectedValue(id), `${id.name} is ${text}`);
          }
          await restored.close();
        } finally {
          rmSync(copy, { recursive: true, force: true });
        }
      },
      async close() {
        rmSync(directory, { recursive: true });
      },
    };
  },
};
