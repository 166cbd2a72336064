import { type SecretId, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { KubeResource, KubeSecret } from "@flyte-secrets/kube";
import type { WatchEvent } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { ManagedFeed, type ManagedFeedOptions } from "./managed-feed.ts";
import { type ManagedRecord, toManagedRecord } from "./managed-record.ts";
import { toManagedSecret } from "./managed-secret.ts";

const id = (name: string): SecretId => ({ org: "flyte", domain: "", project: "", name });

function secret(name: string, resourceVersion: string): KubeSecret {
  const made = toManagedSecret(id(name), { value: SecretValue.fromText("v"), type: "generic" }, "flyte");
  return { ...made, metadata: { ...made.metadata, resourceVersion } };
}

/** An API server that lists what the test says and then tells what the test says, until the place is forgotten. */
function setUp(...listed: KubeSecret[]) {
  return setUpWith({}, ...listed);
}

async function setUpWith(options: Partial<ManagedFeedOptions>, ...listed: KubeSecret[]) {
  const clock = createManualClock();
  let objects = listed;
  let next = Promise.withResolvers<WatchEvent<KubeSecret>>();
  const asked: unknown[] = [];
  type Resource = KubeResource<ManagedRecord>;
  // The one resource that is asked for.
  const client = {
    async list({ decode }: Resource, query: object) {
      asked.push(query);
      return { items: objects.map(decode), resourceVersion: "1" };
    },
    async *watch({ decode }: Resource, _query: unknown, { signal }: { signal: AbortSignal }) {
      yield { type: "OPENED" };
      const ended = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      for (;;) {
        const event = await Promise.race([next.promise, ended]);
        yield "object" in event ? { ...event, object: decode(event.object) } : event;
      }
    },
  } as unknown as ManagedFeedOptions["client"];
  const tell = async (event: WatchEvent<KubeSecret>) => {
    const current = next;
    next = Promise.withResolvers();
    current.resolve(event);
    await clock.advance(0);
  };
  const feed = new ManagedFeed({
    client,
    namespace: "flyte",
    clusterName: "one",
    ...options,
    clock,
    log: pino({ enabled: false }),
  });
  onTestFinished(() => feed.close());
  const told: string[] = [];
  const end = feed.watch(
    (change) => void told.push(change.kind === "reset" ? "reset" : `${change.kind} ${change.id.name}`),
  );
  // Until the watch is relied on.
  await clock.advance(1_000);
  return {
    feed,
    told,
    end,
    asked,
    change: (type: "ADDED" | "MODIFIED" | "DELETED", object: KubeSecret) =>
      tell({ type, object, resourceVersion: "2" }),
    async forgetAndHave(...now: KubeSecret[]) {
      objects = now;
      await tell({ type: "EXPIRED" });
      await clock.advance(10_000);
    },
  };
}

test("managed Secrets of the namespace are listed, and watchers begin with a reset", async () => {
  const { told, asked } = await setUp(secret("a", "1"));
  expect(told).toEqual(["reset"]);
  expect(asked).toEqual([
    { namespace: "flyte", labelSelector: "app.flyte.org/managed=true", limit: 100, continue: undefined },
  ]);
});

test("each change is delivered once, also if the API server repeats a state", async () => {
  const { told, change } = await setUp(secret("a", "1"));
  await change("ADDED", secret("b", "2"));
  await change("ADDED", secret("b", "2"));
  await change("MODIFIED", secret("a", "3"));
  await change("DELETED", secret("b", "4"));
  await change("DELETED", secret("b", "4"));
  expect(told).toEqual(["reset", "put b", "put a", "delete b"]);
});

test("after a new list the differences are delivered", async () => {
  const { told, forgetAndHave } = await setUp(secret("kept", "1"), secret("updated", "1"), secret("deleted", "1"));
  await forgetAndHave(secret("kept", "1"), secret("updated", "5"), secret("new", "6"));
  expect(told).toEqual(["reset", "delete deleted", "put updated", "put new"]);
});

test("the late answer to a call does not bring back a Secret that was deleted since", async () => {
  const { feed, told, change } = await setUp(secret("a", "1"));
  await change("DELETED", secret("a", "3"));
  feed.record(toManagedRecord(secret("a", "1"), "one"));
  expect(told).toEqual(["reset", "delete a"]);
});

test("a Secret that loses its data key is a change; a Secret that never had one is ignored", async () => {
  const { told, change } = await setUp(secret("a", "1"));
  await change("MODIFIED", { ...secret("a", "2"), data: {} });
  await change("ADDED", { ...secret("b", "3"), data: {} });
  await change("DELETED", { ...secret("b", "4"), data: {} });
  expect(told).toEqual(["reset", "put a"]);
});

test("a watcher that was removed receives nothing, and one that throws does not affect the others", async () => {
  const { feed, told, end, change } = await setUp();
  const others: string[] = [];
  feed.watch(() => {
    throw new SecretsError("internal", "a watcher's own");
  });
  feed.watch(({ kind }) => void others.push(kind));
  end();
  await change("ADDED", secret("a", "2"));
  expect([told, others]).toEqual([["reset"], ["put"]]);
});

test("with more Secrets than fit into memory nothing is followed, from the first list on or when they become more", async () => {
  const { feed } = await setUpWith({ maxRecords: 2 }, secret("a", "1"), secret("b", "1"), secret("c", "1"));
  expect(feed.current()).toBeUndefined();
  expect(feed.problem()).toMatch(/^there are more than 2 secrets/);

  const { feed: growing, change } = await setUpWith({ maxRecords: 2 }, secret("a", "1"), secret("b", "1"));
  expect(growing.current()?.size).toBe(2);
  await change("ADDED", secret("c", "2"));
  expect(growing.current()).toBeUndefined();
  expect(growing.problem()).toMatch(/^there are more than 2 secrets/);
  growing.record(toManagedRecord(secret("d", "3"), "one"));
  expect(growing.get(secret("d", "3").metadata.name)).toBeUndefined();
});
