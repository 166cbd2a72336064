import { SecretValue } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { generic, listRequest, readText, type StartStore, type StoreHarness, secretId } from "./store-harness.ts";

export function describeReadsAndWrites(start: StartStore): void {
  async function started(): Promise<StoreHarness> {
    const harness = await start();
    onTestFinished(() => harness.close());
    return harness;
  }
  const api = secretId("api-key", { domain: "development", project: "shop" });

  describe("reads and writes", () => {
    test("a created secret is described without its value and read with it", async () => {
      const { store } = await started();
      const before = Date.now();
      const record = await store.create(api, generic("first"));
      expect(record).toEqual({
        id: api,
        type: "generic",
        createdAt: expect.any(Date),
        // Not every store knows it.
        ...(record.updatedAt && { updatedAt: record.createdAt }),
        system: false,
        clusters: record.clusters.map(({ cluster }) => ({ cluster, presence: "present" })),
      });
      expect(record.clusters.length).toBeGreaterThan(0);
      // Kubernetes keeps whole seconds.
      expect(record.createdAt.getTime()).toBeGreaterThan(before - 1_000);
      expect(record.createdAt.getTime()).toBeLessThan(Date.now() + 1_000);
      expect(await store.get(api)).toEqual(record);
      expect(await readText(store, api)).toBe("first");
    });

    test("values come back byte for byte: empty, binary, not UTF-8, as large as allowed", async () => {
      const { store } = await started();
      const largest = new Uint8Array(store.maxValueBytes).map((_, index) => (index * 31) % 251);
      const values = [new Uint8Array(), Uint8Array.of(0, 10, 13, 0), Uint8Array.of(0xff, 0xfe, 0x80), largest];
      for (const [index, bytes] of values.entries()) {
        const id = secretId(`value-${index}`);
        await store.create(id, { value: SecretValue.fromBytes(bytes), type: "generic" });
        const value = await store.read(id);
        expect(value && Buffer.compare(value.revealBytes(), bytes)).toBe(0);
      }
    });

    test("the same name at three scopes is three secrets", async () => {
      const { store } = await started();
      const ids = [
        secretId("key"),
        secretId("key", { domain: "development" }),
        secretId("key", { domain: "development", project: "shop" }),
      ];
      for (const [index, id] of ids.entries()) await store.create(id, generic(`value ${index}`));
      expect(await Promise.all(ids.map((id) => readText(store, id)))).toEqual(["value 0", "value 1", "value 2"]);
    });

    test("a second create is refused and leaves the first as it was", async () => {
      const { store } = await started();
      const first = await store.create(api, generic("first"));
      await expect(store.create(api, { ...generic("second"), type: "image_pull" })).rejects.toMatchObject({
        code: "already_exists",
        message: "secret api-key already exists",
      });
      expect(await store.get(api)).toEqual(first);
      expect(await readText(store, api)).toBe("first");
    });

    test("an update replaces the value whole and keeps creation time and type", async () => {
      const { store } = await started();
      const id = secretId("registry");
      // A store may have to keep it where it is checked.
      const value = SecretValue.fromText('{"auths":{"registry.example":{}}}');
      const created = await store.create(id, { value, type: "image_pull" });
      const updated = await store.update(id, SecretValue.fromText('{"auths":{}}'));
      const { updatedAt } = updated;
      expect(updated).toEqual({ ...created, ...(updatedAt && { updatedAt }) });
      expect(updatedAt?.getTime() ?? Date.now()).toBeGreaterThanOrEqual(created.createdAt.getTime());
      expect(await store.get(id)).toEqual(updated);
      expect(await readText(store, id)).toBe('{"auths":{}}');
    });

    test("what isn't there is absent for get and read, and an error for update and delete", async () => {
      const { store } = await started();
      await store.create(secretId("api-key", { domain: "development" }), generic("other scope"));
      const missing = { code: "not_found", message: "secret api-key not found" };
      expect(await store.get(api)).toBeUndefined();
      expect(await store.read(api)).toBeUndefined();
      await expect(store.update(api, SecretValue.fromText("x"))).rejects.toMatchObject(missing);
      await expect(store.delete(api)).rejects.toMatchObject(missing);
      expect((await store.list(listRequest())).entries).toHaveLength(1);
    });

    test("a deleted secret is gone and can be created anew", async () => {
      const { store } = await started();
      await store.create(api, generic("first"));
      await store.delete(api);
      expect(await store.get(api)).toBeUndefined();
      expect(await store.read(api)).toBeUndefined();
      await store.create(api, generic("second"));
      expect(await readText(store, api)).toBe("second");
    });

    test("a value over the limit is refused with both sizes and changes nothing", async () => {
      const { store } = await started();
      const tooLarge = SecretValue.fromBytes(new Uint8Array(store.maxValueBytes + 1));
      const refusal = {
        code: "value_too_large",
        message: expect.stringMatching(`${store.maxValueBytes + 1}\\b.*\\b${store.maxValueBytes}\\b`),
      };
      await expect(store.create(api, { value: tooLarge, type: "generic" })).rejects.toMatchObject(refusal);
      expect(await store.get(api)).toBeUndefined();
      await store.create(api, generic("kept"));
      await expect(store.update(api, tooLarge)).rejects.toMatchObject(refusal);
      expect(await readText(store, api)).toBe("kept");
    });

    test("of two clients that create one secret at once, one wins", async () => {
      const { store, connect } = await started();
      const other = await connect();
      const results = await Promise.allSettled([
        store.create(api, generic("ours")),
        other.create(api, generic("theirs")),
      ]);
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "already_exists" } });
      const winner = results[0]?.status === "fulfilled" ? "ours" : "theirs";
      expect(await readText(store, api)).toBe(winner);
    });

    test("of two clients that update one secret at once, both are served and one value stays, whole", async () => {
      const { store, connect } = await started();
      const other = await connect();
      await store.create(api, generic("first"));
      await Promise.all([
        store.update(api, SecretValue.fromText("ours")),
        other.update(api, SecretValue.fromText("theirs")),
      ]);
      const value = await readText(store, api);
      expect(["ours", "theirs"]).toContain(value);
      expect(await readText(other, api)).toBe(value);
    });

    test("a call whose signal has been aborted writes nothing", async () => {
      const { store } = await started();
      const signal = AbortSignal.abort();
      await expect(store.create(api, generic("x"), { signal })).rejects.toMatchObject({ code: "canceled" });
      expect(await store.get(api)).toBeUndefined();
      await store.create(api, generic("kept"));
      await expect(store.update(api, SecretValue.fromText("x"), { signal })).rejects.toMatchObject({
        code: "canceled",
      });
      await expect(store.delete(api, { signal })).rejects.toMatchObject({ code: "canceled" });
      await expect(store.list(listRequest(), { signal })).rejects.toMatchObject({ code: "canceled" });
      expect(await readText(store, api)).toBe("kept");
    });

    test("an open store answers its check, a closed one is unavailable", async () => {
      const { store, connect } = await started();
      await store.check();
      const other = await connect();
      await other.close();
      await other.close();
      await expect(other.check()).rejects.toMatchObject({ code: "store_unavailable" });
      await expect(other.get(api)).rejects.toMatchObject({ code: "store_unavailable" });
      await expect(other.create(api, generic("x"))).rejects.toMatchObject({ code: "store_unavailable" });
      await store.check();
    });
  });
}
