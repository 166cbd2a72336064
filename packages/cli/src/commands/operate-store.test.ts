import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { describe, expect, it } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-9d41c7";

describe("system, keys, backup and restore", () => {
  it("a system secret is hidden from the API until it is unmarked", async () => {
    await at.keep({ "dev/hidden": CANARY });
    await using _server = await at.serve();
    const get = () => at.call("get", "secret", "hidden", "-d", "dev");
    expect(await at.call("system", "mark", "hidden", "-d", "dev")).toEqual(
      success("Secret hidden (domain dev) is hidden.\n"),
    );
    expect(await get()).toEqual(failure(1, "secret hidden not found (domain dev)"));
    expect(await at.call("system", "unmark", "hidden", "-d", "dev")).toEqual(
      success("Secret hidden (domain dev) is shown.\n"),
    );
    expect((await get()).exitCode).toBe(0);
    expect(await at.call("system", "mark", "missing", "-d", "dev")).toEqual(
      failure(1, "secret missing not found (domain dev)"),
    );
  });

  it("a file that can't be made or read is told in words", async () => {
    await at.keep({ before: CANARY });
    const missing = "no such file or directory";
    expect(await at.call("backup", "nowhere/one.db")).toEqual(
      failure(1, `${at.home}/nowhere/one.db cannot be used: ${missing}.`),
    );
    expect(await at.call("restore", "nofile.db", "--replace")).toEqual(
      failure(1, `${at.home}/nofile.db cannot be used: ${missing}.`),
    );
  });

  it("a rotated key opens the at.store, and a backup restores under the key it was made with", async () => {
    await at.keep({ before: CANARY });
    expect(await at.call("backup", "one.db")).toEqual(
      success(`Backed up to one.db. Restoring it needs ${at.store}/master.key: keep a copy of that elsewhere.\n`),
    );
    const oldKey = readFileSync(join(at.store, "master.key"));
    expect(await at.call("keys", "rotate")).toEqual(
      success(
        `The store in ${at.store} has a new master key: keep a copy of ${at.store}/master.key elsewhere. ` +
          "The former one is kept for backups; flyte-secrets keys list names them.\n",
      ),
    );
    expect(readFileSync(join(at.store, "master.key"))).not.toEqual(oldKey);
    expect(await at.kept("before")).toBe(CANARY);
    expect(await at.call("restore", "one.db")).toMatchObject({ exitCode: 1, stdout: "" });
    const restored = await at.call("restore", "one.db", "--replace");
    expect(restored).toMatchObject({ exitCode: 0, stderr: "" });
    expect(restored.stdout).toMatch(
      /^Restored one\.db to .*\. The backup was made at .*Z\. Secrets of the store that was there: 0 lost, 0 changed, 0 brought back\.\n$/,
    );
    expect(await at.kept("before")).toBe(CANARY);
  });

  it("a key that backups need is discarded only with --yes, also after a restore", async () => {
    await at.keep({ before: CANARY });
    await at.call("backup", "c1.db");
    await at.call("keys", "rotate");
    await at.call("restore", "c1.db", "--replace");
    const { stdout } = await at.call("keys", "list");
    const [, , kept] = stdout.split("\n").map((row) => row.split(/ {2,}/));
    expect(kept).toEqual([expect.any(String), "kept", join(at.home, "c1.db"), expect.stringMatching(/Z$/)]);
    const id = kept?.[0] ?? "";
    const refused = await at.call("keys", "discard", id);
    expect(refused).toMatchObject({ exitCode: 1, stdout: "" });
    expect(refused.stderr).toContain(`only ${id} opens the backup "${join(at.home, "c1.db")}". Keep a copy`);
    expect(await at.call("restore", "c1.db", "--replace")).toMatchObject({ exitCode: 0 });
    expect(await at.call("keys", "discard", id, "--yes")).toEqual(success(`Removed master key ${id}.\n`));
    expect(await at.call("keys", "discard", id, "--yes")).toMatchObject({ exitCode: 1 });
  });

  it("a key from the environment is replaced by the next one from there", async () => {
    const [first, next] = ["a", "b"].map((letter) => Buffer.alloc(32, letter).toString("base64"));
    at.env.FLYTE_SECRETS_MASTER_KEY = first ?? "";
    const opened = await openEmbeddedStore({ directory: at.store, masterKey: Buffer.alloc(32, "a") });
    await opened.close();
    expect(await at.call("keys", "rotate")).toMatchObject({ exitCode: 2 });
    at.env.FLYTE_SECRETS_NEXT_MASTER_KEY = next ?? "";
    await at.call("backup", "e1.db");
    const rotated = await at.call("keys", "rotate");
    expect(rotated).toMatchObject({ exitCode: 0, stderr: "" });
    expect(rotated.stdout).toMatch(
      /put it into FLYTE_SECRETS_MASTER_KEY\. Keep the former one \([0-9a-f]{16}\): .* opens the backup "[^"]*e1\.db"\.\n$/,
    );
    expect(await at.call("keys", "rotate")).toMatchObject({ exitCode: 1 });
    expect(await at.call("export")).toMatchObject({ exitCode: 1 });
    at.env.FLYTE_SECRETS_MASTER_KEY = next ?? "";
    expect(await at.call("export")).toEqual(success("{}\n"));
  });
});
