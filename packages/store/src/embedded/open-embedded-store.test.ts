import { chmodSync, chownSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SecretValue } from "@flyte-secrets/core";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, onTestFinished, test } from "vitest";
import { runStoreWorker } from "../testing/run-store-worker.ts";
import { openEmbeddedStore } from "./embedded-store.ts";
import { toMasterKey } from "./master-key.ts";

const id = { org: "flyte", domain: "", project: "", name: "api-key" };
const key = (fill: number) => new Uint8Array(32).fill(fill);

/** A closed store with one secret; `file` is a path in its directory. */
async function createStore(masterKey?: Uint8Array) {
  const directory = join(createTemporaryDirectory(), "data");
  const options = { directory, ...(masterKey && { masterKey }) };
  const store = await openEmbeddedStore(options);
  await store.create(id, { value: SecretValue.fromText("kept"), type: "generic" });
  await store.close();
  return { directory, file: (name: string) => join(directory, name), options };
}

async function readKept(options: Parameters<typeof openEmbeddedStore>[0]) {
  const store = await openEmbeddedStore(options);
  onTestFinished(() => store.close());
  return (await store.read(id))?.revealText();
}

const mode = (path: string) => statSync(path).mode & 0o777;

describe("first use", () => {
  test("makes directory, key file and database readable by this user only, whatever the umask", async () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const { directory, file, options } = await createStore();
    expect(mode(directory)).toBe(0o700);
    expect(mode(file("master.key"))).toBe(0o600);
    expect(readFileSync(file("master.key"), "utf8")).toMatch(/^[A-Za-z0-9+/]{43}=\n$/);
    const store = await openEmbeddedStore(options);
    onTestFinished(() => store.close());
    for (const name of ["store.db", "store.db-wal", "store.db-shm"]) expect(mode(file(name))).toBe(0o600);
  });

  test("with a key passed in makes no key file", async () => {
    const { file, options } = await createStore(key(1));
    expect(statSync(file("master.key"), { throwIfNoEntry: false })).toBeUndefined();
    expect(await readKept(options)).toBe("kept");
  });

  test("takes a key file that is there", async () => {
    const { directory, file } = await createStore();
    rmSync(file("store.db"));
    const before = readFileSync(file("master.key"));
    const store = await openEmbeddedStore({ directory });
    await store.close();
    expect(readFileSync(file("master.key"))).toEqual(before);
  });

  test("by several processes at once makes one store for all of them", async () => {
    const directory = join(createTemporaryDirectory(), "data");
    const results = await Promise.all(
      ["a", "b", "c"].map((prefix) => runStoreWorker({ command: "write", directory, prefix, count: 30 })),
    );
    expect(results.map(({ exitCode, errors, lines }) => ({ exitCode, errors, lines: lines.length }))).toEqual(
      results.map(() => ({ exitCode: 0, errors: "", lines: 31 })),
    );
    const store = await openEmbeddedStore({ directory });
    onTestFinished(() => store.close());
    const scope = { org: "flyte", domain: "", project: "" };
    const request = { scope, limit: 100, token: "", clusterTokens: {}, includeSystem: false };
    expect((await store.list(request)).entries).toHaveLength(30);
  });

  test("refuses a master key of another length", async () => {
    const options = { directory: createTemporaryDirectory(), masterKey: new Uint8Array(31) };
    await expect(openEmbeddedStore(options)).rejects.toMatchObject({
      code: "invalid_argument",
      message: "master key: 32 bytes expected, got 31. Make one with: openssl rand -base64 32",
    });
  });
});

describe("permissions", () => {
  test.each([
    0o701, 0o750, 0o777,
  ])("a directory of mode %o is refused with the command that mends it", async (loose) => {
    const { directory, options } = await createStore();
    chmodSync(directory, loose);
    await expect(openEmbeddedStore(options)).rejects.toMatchObject({
      code: "unsafe_permissions",
      message: `${directory} is open to other users (mode 0${loose.toString(8)}). Run: chmod 700 ${directory}`,
    });
    chmodSync(directory, 0o700);
    expect(await readKept(options)).toBe("kept");
  });

  test.each([0o604, 0o640, 0o666])("a key file of mode %o is refused with the command that mends it", async (loose) => {
    const { file, options } = await createStore();
    chmodSync(file("master.key"), loose);
    await expect(openEmbeddedStore(options)).rejects.toMatchObject({
      code: "unsafe_permissions",
      message: `${file("master.key")} is open to other users (mode 0${loose.toString(8)}). Run: chmod 600 ${file("master.key")}`,
    });
  });

  test("a symbolic link in the key file's place is refused", async () => {
    const { directory, file, options } = await createStore();
    renameSync(file("master.key"), `${directory}.key`);
    symlinkSync(`${directory}.key`, file("master.key"));
    await expect(openEmbeddedStore(options)).rejects.toMatchObject({ code: "unsafe_permissions" });
  });

  test.skipIf(process.geteuid?.() !== 0)(
    "a directory of another user is refused (needs root to make one)",
    async () => {
      const { directory, options } = await createStore();
      chownSync(directory, 65_534, 65_534);
      await expect(openEmbeddedStore(options)).rejects.toMatchObject({
        code: "unsafe_permissions",
        message: expect.stringContaining("belongs to user 65534 and this process runs as user 0"),
      });
    },
  );
});

describe("a wrong or missing key, or a file that is no store of ours", () => {
  /** Expects the refusal, that no file has changed, and that the store opens again after `mend`. */
  async function expectRefusal(
    store: Awaited<ReturnType<typeof createStore>>,
    refused: { options?: Parameters<typeof openEmbeddedStore>[0]; code: string; message: string },
  ) {
    const content = () => ["store.db", "master.key"].map((name) => readIfThere(store.file(name)));
    const before = content();
    await expect(openEmbeddedStore(refused.options ?? store.options)).rejects.toMatchObject({
      code: refused.code,
      message: expect.stringContaining(refused.message),
    });
    expect(content()).toEqual(before);
  }
  const readIfThere = (path: string) => (statSync(path, { throwIfNoEntry: false }) ? readFileSync(path) : undefined);

  test("the error for a missing key file names its path, and no new key is created", async () => {
    const store = await createStore();
    renameSync(store.file("master.key"), store.file("elsewhere"));
    await expectRefusal(store, { code: "store_key_missing", message: store.file("master.key") });
    renameSync(store.file("elsewhere"), store.file("master.key"));
    expect(await readKept(store.options)).toBe("kept");
  });

  test("a wrong key, in the file or passed in, is refused as such", async () => {
    const keyId = (fill: number) => toMasterKey(key(fill)).id;
    const store = await createStore();
    const options = { ...store.options, masterKey: key(1) };
    await expectRefusal(store, {
      options,
      code: "store_key_wrong",
      message: `The master key in FLYTE_SECRETS_MASTER_KEY is ${keyId(1)}, and `,
    });
    writeFileSync(store.file("master.key"), `${Buffer.from(key(2)).toString("base64")}\n`);
    await expectRefusal(store, { code: "store_key_wrong", message: `master.key is ${keyId(2)}, and ` });
  });

  test.each([
    "",
    "not base64!",
    Buffer.alloc(31).toString("base64"),
    // Node reads 32 bytes out of each of these.
    Buffer.alloc(32).toString("base64").replace("=", ""),
    Buffer.alloc(32, 0xfb).toString("base64url"),
    `${Buffer.alloc(32).toString("base64")}!`,
  ])("a key file with %j says what belongs there", async (text) => {
    const store = await createStore();
    writeFileSync(store.file("master.key"), text);
    await expectRefusal(store, { code: "store_key_wrong", message: "base64 of 32 bytes expected" });
  });

  test("a file that is no database is damaged", async () => {
    const store = await createStore();
    writeFileSync(store.file("store.db"), "this was a database once\n".repeat(500));
    await expectRefusal(store, { code: "store_damaged", message: "Restore an intact backup" });
  });

  test("a database of another program is left alone", async () => {
    const store = await createStore();
    rmSync(store.file("store.db"));
    const database = new DatabaseSync(store.file("store.db"));
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (url TEXT)");
    database.close();
    await expectRefusal(store, { code: "store_damaged", message: "not a store of flyte-secrets" });
  });

  test("a damaged data key is damaged", async () => {
    const store = await createStore();
    const database = new DatabaseSync(store.file("store.db"));
    database.exec("UPDATE keyring SET wrapped_data_key = zeroblob(61)");
    database.close();
    await expectRefusal(store, { code: "store_damaged", message: "data key" });
  });

  test("a store that didn't keep when a value was written keeps it from the next write on", async () => {
    const { file, options } = await createStore();
    const database = new DatabaseSync(file("store.db"));
    database.exec("ALTER TABLE secrets DROP COLUMN updated_at_ms; PRAGMA user_version = 2");
    database.close();
    expect(await readKept(options)).toBe("kept");
    const store = await openEmbeddedStore(options);
    onTestFinished(() => store.close());
    expect((await store.get(id))?.updatedAt).toBeUndefined();
    const { updatedAt } = await store.update(id, SecretValue.fromText("new"));
    expect(updatedAt?.getTime()).toBeGreaterThan(0);
    expect((await store.get(id))?.updatedAt).toEqual(updatedAt);
  });

  test("a store of a newer version is refused with the advice to upgrade", async () => {
    const store = await createStore();
    const database = new DatabaseSync(store.file("store.db"));
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expectRefusal(store, { code: "store_too_new", message: "schema 99" });
  });
});
