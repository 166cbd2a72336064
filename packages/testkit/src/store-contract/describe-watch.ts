import { type SecretStore, SecretValue, type StoreChange } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { generic, type StartStore, type StoreHarness, secretId } from "./store-harness.ts";

const a = secretId("a", { domain: "dev", project: "shop" });
const b = secretId("b");

/** The changes that a watcher has received, and a way to wait for a number of them. */
function createRecorder() {
  const changes: StoreChange[] = [];
  let wake = () => {};
  return {
    changes,
    listener(change: StoreChange) {
      changes.push(change);
      wake();
    },
    /** Drops the changes that a store reports when a watch begins. */
    forget() {
      changes.length = 0;
    },
    async received(count: number): Promise<StoreChange[]> {
      while (changes.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return changes;
    },
  };
}

export function describeWatch(start: StartStore): void {
  async function started(): Promise<StoreHarness> {
    const harness = await start();
    onTestFinished(() => harness.close());
    return harness;
  }

  /** A recorder of every change from now on. */
  async function watch({ watching }: StoreHarness, client: SecretStore) {
    const recorder = createRecorder();
    onTestFinished(client.watch(recorder.listener));
    await watching?.(client);
    recorder.forget();
    return recorder;
  }

  describe("watching", () => {
    test("every change is told in order, whichever client makes it", async () => {
      const harness = await started();
      const { store } = harness;
      const other = await harness.connect();
      await store.create(b, generic("before the watch"));
      const recorders = [await watch(harness, store), await watch(harness, other)];
      await store.create(a, generic("1"));
      await other.update(a, SecretValue.fromText("2"));
      await store.delete(b);
      await other.delete(a);
      const expected = [
        { kind: "put", id: a },
        { kind: "put", id: a },
        { kind: "delete", id: b },
        { kind: "delete", id: a },
      ];
      for (const recorder of recorders) expect(await recorder.received(4)).toEqual(expected);
    });

    test("a change that failed is not told", async () => {
      const harness = await started();
      const { store } = harness;
      await store.create(a, generic("1"));
      const recorder = await watch(harness, store);
      await expect(store.create(a, generic("2"))).rejects.toThrow();
      await expect(store.delete(b)).rejects.toThrow();
      await store.update(a, SecretValue.fromText("3"));
      expect(await recorder.received(1)).toEqual([{ kind: "put", id: a }]);
    });

    test("a watch ends when told to, and a listener that throws keeps nothing from anybody", async () => {
      const harness = await started();
      const { store } = harness;
      const ended = createRecorder();
      const end = store.watch(ended.listener);
      onTestFinished(
        store.watch(() => {
          throw new Error("a listener's own fault");
        }),
      );
      const lasting = await watch(harness, store);
      ended.forget();
      await store.create(a, generic("1"));
      await ended.received(1);
      end();
      await store.create(b, generic("2"));
      expect(await lasting.received(2)).toEqual([
        { kind: "put", id: a },
        { kind: "put", id: b },
      ]);
      expect(ended.changes).toEqual([{ kind: "put", id: a }]);
    });
  });
}
