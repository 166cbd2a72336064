import { SecretValue } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { generic, listRequest, readText, type StartStore, type StoreHarness, secretId } from "./store-harness.ts";

export function describeSystemSecrets(start: StartStore): void {
  const id = secretId("internal-token");

  async function withSystemSecret(): Promise<StoreHarness> {
    const harness = await start();
    onTestFinished(() => harness.close());
    await harness.store.create(id, generic("of the system"));
    await harness.markSystem(id);
    return harness;
  }

  describe("system secrets", () => {
    test("are absent for get, list and delete unless asked for", async () => {
      const { store } = await withSystemSecret();
      await store.create(secretId("ordinary"), generic("x"));
      expect(await store.get(id)).toBeUndefined();
      expect((await store.list(listRequest())).entries.map((entry) => entry.id.name)).toEqual(["ordinary"]);
      await expect(store.delete(id)).rejects.toMatchObject({ code: "not_found" });
      expect(await store.get(id, { includeSystem: true })).toMatchObject({ id, system: true });
      const all = await store.list(listRequest({ includeSystem: true }));
      expect(all.entries.map(({ id: { name }, system }) => [name, system]).toSorted()).toEqual([
        ["internal-token", true],
        ["ordinary", false],
      ]);
      await store.delete(id, { includeSystem: true });
      expect(await store.get(id, { includeSystem: true })).toBeUndefined();
    });

    test("cannot be updated, and keep their name taken", async () => {
      const { store } = await withSystemSecret();
      const options = { includeSystem: true };
      await expect(store.update(id, SecretValue.fromText("x"))).rejects.toMatchObject({ code: "not_found" });
      await expect(store.update(id, SecretValue.fromText("x"), options)).rejects.toMatchObject({ code: "not_found" });
      await expect(store.create(id, generic("x"))).rejects.toMatchObject({ code: "already_exists" });
      expect(await readText(store, id)).toBe("of the system");
    });
  });
}
