import { encodeSecretId, kubernetesSecretName, type SecretId, SecretsError } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import type { WatchEvent } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { type LookupMetrics, NO_METRICS } from "../cache/lookup-metrics.ts";
import { createWatchedLookup, type WatchedLookupOptions } from "./watched-lookup.ts";

const scope = { org: "flyte", domain: "development", project: "shop" };
const project: SecretId = { ...scope, name: "api-key" };
const global: SecretId = { ...project, domain: "", project: "" };
const down = new SecretsError("store_unavailable", "down");

function managed(id: SecretId, value: string, resourceVersion = "1"): KubeSecret {
  const data = { [encodeSecretId(id)]: Buffer.from(value).toString("base64") };
  return { apiVersion: "v1", kind: "Secret", metadata: { name: kubernetesSecretName(id), resourceVersion }, data };
}

/** A namespace and the watch on it, in the test's hand. */
function setUp(...listed: KubeSecret[]) {
  const clock = createManualClock();
  /** What the API server has, as opposed to what the watch tells. */
  const stored = new Map(listed.map((secret) => [secret.metadata.name, secret]));
  let refuses: "nothing" | "to follow" | "everything" = "nothing";
  let watch = Promise.withResolvers<WatchEvent<KubeSecret>>();
  const tell = async (event: WatchEvent<KubeSecret>) => {
    const current = watch;
    watch = Promise.withResolvers();
    current.resolve(event);
    await clock.advance(0);
  };
  const change = (type: "ADDED" | "MODIFIED" | "DELETED", object: KubeSecret) =>
    tell({ type, object, resourceVersion: "2" });
  // The one resource that is asked for.
  const client = {
    async get(_resource: unknown, { name }: { name: string }) {
      if (refuses === "everything") throw down;
      return stored.get(name);
    },
    async list() {
      if (refuses !== "nothing") throw down;
      return { items: [...stored.values()], resourceVersion: "1" };
    },
    async *watch(_resource: unknown, _query: unknown, { signal }: { signal: AbortSignal }) {
      if (refuses !== "nothing") throw down;
      yield { type: "OPENED" };
      const ended = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      for (;;) yield await Promise.race([watch.promise, ended]);
    },
  } as unknown as WatchedLookupOptions["client"];
  const refuse = async (what: "to follow" | "everything") => {
    refuses = what;
    const current = watch;
    watch = Promise.withResolvers();
    current.promise.catch(() => {}); // There may be no watch yet.
    current.reject(down);
    await clock.advance(0);
  };
  const comeBack = async () => {
    refuses = "nothing";
    await clock.advance(20_000);
  };
  let staleServed = 0;
  let state = (): unknown => undefined;
  const watchOpened: LookupMetrics["watchOpened"] = (told) => {
    state = told;
  };
  const lookup = createWatchedLookup({
    client,
    namespace: "flyte",
    staleMs: 60_000,
    // More than a key of a Secret may have.
    maxIdLength: 512,
    clock,
    log: pino({ enabled: false }),
    metrics: { ...NO_METRICS, watchOpened, staleServed: () => void staleServed++ },
  });
  onTestFinished(() => lookup.close());
  const find = async () => {
    const result = await lookup.find(scope, "api-key");
    return result.found ? `${result.level} ${result.value.revealText()}` : "nowhere";
  };
  const write = (secret: KubeSecret) => void stored.set(secret.metadata.name, secret);
  return { clock, change, write, refuse, comeBack, lookup, find, staleServed: () => staleServed, state: () => state() };
}

test("every change that the watch delivers is seen, at the narrowest scope", async () => {
  const { change, find } = setUp(managed(global, "g"));
  expect(await find()).toBe("global g");
  await change("ADDED", managed(project, "p"));
  expect(await find()).toBe("project p");
  await change("MODIFIED", managed(project, "p2"));
  expect(await find()).toBe("project p2");
  await change("DELETED", managed(project, "p2"));
  expect(await find()).toBe("global g");
});

test("the answer has the namespace of a secret that is found, and the attempts for one that isn't", async () => {
  const { lookup } = setUp(managed(project, "p"));
  expect(await lookup.find(scope, "api-key")).toMatchObject({ found: true, id: project, namespace: "flyte" });
  const attempt = (level: string, id: SecretId) => ({
    provider: "K8s",
    level,
    id: encodeSecretId({ ...id, name: "other" }),
    outcome: "not found",
  });
  expect(await lookup.find(scope, "other")).toEqual({
    found: false,
    attempts: [attempt("project", project), attempt("domain", { ...project, project: "" }), attempt("global", global)],
  });
});

test("an id that can't be a key of a Secret is answered as by a direct read, also after an invalidation", async () => {
  // Of all projects it can: the rest of the id is shorter there.
  const key = "l".repeat(209);
  const taken = { ...managed({ ...project, name: key }, "p"), data: { "a-key": "AA==" } };
  const { lookup, write } = setUp(taken, managed({ ...global, name: key }, "g"));
  const attempt = (level: string, id: SecretId) => ({
    provider: "K8s",
    level,
    id: `${encodeSecretId({ ...id, name: key })}, which no secret of K8s can be called`,
    outcome: "not found",
  });
  const found = {
    found: true,
    level: "global",
    attempts: [attempt("project", project), attempt("domain", { ...project, project: "" }), { outcome: "found" }],
  };
  expect(await lookup.find(scope, key)).toMatchObject(found);

  lookup.invalidate({ ...project, name: key });
  expect(await lookup.find(scope, key)).toMatchObject(found);
  // Asked once, which settled what was in doubt.
  write(managed({ ...global, name: key }, "read", "2"));
  const result = await lookup.find(scope, key);
  expect(result.found && result.value.revealText()).toBe("g");
});

test("a value that is too large for memory is read from the API server each time", async () => {
  const value = "x".repeat(5 * 1024 * 1024);
  const isWhole = async () => (await find()) === `project ${value}`;
  const { write, find, refuse } = setUp(managed(global, "g"), managed(project, value));
  // First before anything was listed.
  expect([await isWhole(), await isWhole()]).toEqual([true, true]);
  // Ahead of the watch.
  write(managed(project, "small", "2"));
  expect(await find()).toBe("project small");
  await refuse("everything");
  await expect(find()).rejects.toMatchObject({ code: "store_unavailable" });
});

test("a Secret that lost its key stops the lookup, and gives way to no broader one", async () => {
  const { change, find } = setUp(managed(project, "p"), managed(global, "g"));
  await find();
  await change("MODIFIED", { ...managed(project, "p"), data: {} });
  await expect(find()).rejects.toMatchObject({ code: "value_unreadable" });
});

test("while the API server is down what it last said is used, for a bounded time, and counted", async () => {
  const { clock, find, lookup, refuse, comeBack, staleServed } = setUp(managed(project, "old"));
  await find();
  await lookup.ready();
  await refuse("everything");
  expect([await find(), staleServed()]).toEqual(["project old", 0]);
  await lookup.ready();
  await clock.advance(10_000);
  expect([await find(), staleServed()]).toEqual(["project old", 1]);
  await expect(lookup.ready()).rejects.toMatchObject({
    code: "store_unavailable",
    message: "the Secrets of namespace flyte cannot be watched: down",
  });
  await clock.advance(50_000);
  await expect(find()).rejects.toBe(down);
  await comeBack();
  await lookup.ready();
  expect(await find()).toBe("project old");
});

test("a secret that is known to have changed is not served stale while the API server is down", async () => {
  const { find, lookup, refuse } = setUp(managed(project, "old"));
  await find();
  await refuse("everything");
  expect(await find()).toBe("project old");
  lookup.invalidate(project);
  await expect(find()).rejects.toBe(down);
});

test("while the Secrets cannot be watched, each lookup reads from the API server", async () => {
  const { clock, change, write, find, lookup, refuse, comeBack, state } = setUp(managed(project, "old"));
  expect(state()).toEqual({ silentMs: 0, isFresh: false });
  await find();
  expect(state()).toEqual({ silentMs: 0, isFresh: true });
  await refuse("to follow");
  write(managed(project, "new"));
  await clock.advance(10_000);
  expect(state()).toEqual({ silentMs: 10_000, isFresh: false });
  expect(await find()).toBe("project new");
  await expect(lookup.ready()).rejects.toMatchObject({ code: "store_unavailable" });
  await comeBack();
  await change("MODIFIED", managed(project, "new"));
  write(managed(project, "not told"));
  expect(await find()).toBe("project new");
});

test("a watch that is back does not bring back what is older than what was read meanwhile", async () => {
  const { clock, change, write, find, refuse, comeBack } = setUp(managed(project, "first", "1"));
  await find();
  await refuse("to follow");
  write(managed(project, "second", "2"));
  write(managed(project, "third", "3"));
  await clock.advance(10_000);
  expect(await find()).toBe("project third");
  await comeBack();
  expect(await find()).toBe("project third");
  await change("MODIFIED", managed(project, "second", "2"));
  expect(await find()).toBe("project third");
  await change("MODIFIED", managed(project, "third", "3"));
  write(managed(project, "not told", "4"));
  expect(await find()).toBe("project third");
});

test("a changed secret is read directly until the watch has delivered the change", async () => {
  const { find, lookup, write, change } = setUp(managed(project, "old", "1"));
  write(managed(project, "new", "3"));
  expect(await find()).toBe("project old");
  lookup.invalidate(project);
  expect(await find()).toBe("project new");
  await change("MODIFIED", managed(project, "between", "2"));
  expect(await find()).toBe("project new");
  await change("MODIFIED", managed(project, "new", "3"));
  write(managed(project, "not told", "4"));
  expect(await find()).toBe("project new");
});

test("a break after a time without changes is a break from when it begins", async () => {
  const { clock, write, find, lookup, refuse } = setUp(managed(project, "old"));
  await find();
  await clock.advance(60_000);
  await refuse("to follow");
  write(managed(project, "new"));
  await clock.advance(9_999);
  expect(await find()).toBe("project old");
  await lookup.ready();
  await clock.advance(1);
  expect(await find()).toBe("project new");
});

test("a watch that is silent for 100 s is stale", async () => {
  const { clock, write, find, lookup } = setUp(managed(project, "old"));
  await find();
  write(managed(project, "new"));
  await clock.advance(99_000);
  expect(await find()).toBe("project old");
  await clock.advance(1_000);
  expect(await find()).toBe("project new");
  await expect(lookup.ready()).rejects.toMatchObject({
    message: "the Secrets of namespace flyte cannot be watched: the watch has been silent for 100 s",
  });
});

test("a lookup before the first list is answered by a direct read, once the list has failed for 10 s", async () => {
  const { clock, find, refuse } = setUp(managed(project, "v"));
  await refuse("to follow");
  await clock.advance(10_000);
  expect(await find()).toBe("project v");
});

test("a lookup before the first list waits until its signal is aborted", async () => {
  const { lookup } = setUp();
  await expect(lookup.find(scope, "api-key", { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: "canceled",
  });
  expect(await lookup.find(scope, "api-key")).toMatchObject({ found: false });
});

test("a secret in a Secret of the wrong name is found nowhere, and the answer names that Secret and the name it needs", async () => {
  const right = managed(project, "p");
  const wrong = { ...right, metadata: { ...right.metadata, name: "api-key" } };
  const { change, lookup, find } = setUp(wrong);
  await find();
  const hint = `Secret api-key in namespace flyte has that data key, but should be named ${right.metadata.name}`;
  expect(await lookup.find(scope, "api-key")).toMatchObject({ found: false, hint });
  expect(await lookup.find(scope, "other")).not.toHaveProperty("hint");
  await change("DELETED", wrong);
  await change("ADDED", right);
  expect(await find()).toBe("project p");
});
