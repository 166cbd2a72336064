import { SecretsError } from "@flyte-secrets/core";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchNamespaceLabels } from "./namespace-labels.ts";

const SHOP = { "flyte.secrets/project": "shop", "flyte.secrets/domain": "production" };
const down = new SecretsError("store_unavailable", "down");

const namespace = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels },
});

/** Labels followed on an API server in memory; `cut` makes it answer nothing any more. */
async function setUp() {
  const clock = createManualClock();
  const api = createMemoryApi();
  let isDown = false;
  const cutting: AbortController[] = [];
  const gets: string[] = [];
  let holding: Promise<void> | undefined;
  const client: Parameters<typeof watchNamespaceLabels>[0]["client"] = {
    async get(resource, reference, options) {
      gets.push(reference.name ?? "");
      await holding;
      if (isDown) throw down;
      return await api.client.get(resource, reference, options);
    },
    async list(resource, query, options) {
      if (isDown) throw down;
      return await api.client.list(resource, query, options);
    },
    async *watch(resource, query, { signal } = {}) {
      if (isDown) throw down;
      const cut = new AbortController();
      cutting.push(cut);
      yield* api.client.watch(resource, query, { signal: AbortSignal.any([cut.signal, ...(signal ? [signal] : [])]) });
    },
  };
  api.put(namespace("bound", SHOP));
  api.put(namespace("plain", { team: "x" }));
  const labels = watchNamespaceLabels({ client, clock, log: pino({ enabled: false }) });
  onTestFinished(() => labels.close());
  return {
    api,
    clock,
    labels,
    gets,
    /** Requests for one namespace wait for it. */
    hold: (until: Promise<void>) => {
      holding = until;
    },
    async cut() {
      isDown = true;
      for (const each of cutting) each.abort();
      await clock.advance(0);
    },
    async comeBack() {
      isDown = false;
      await clock.advance(20_000);
    },
  };
}

describe("the labels of namespaces", () => {
  it("are in memory: those that bind, and that there are none", async () => {
    const { clock, labels, gets } = await setUp();
    await clock.advance(0);
    labels.ready();
    expect(labels.find("bound")).toEqual({ project: "shop", domain: "production" });
    expect(labels.find("plain")).toBeUndefined();
    expect(gets).toEqual([]);
  });

  it("are seen when they are set, changed and removed", async () => {
    const { api, clock, labels } = await setUp();
    await clock.advance(0);
    api.put(namespace("plain", { "flyte.secrets/domain": "" }));
    await clock.advance(0);
    expect(labels.find("plain")).toEqual({ project: undefined, domain: "" });
    api.put(namespace("bound", { ...SHOP, "flyte.secrets/project": "other" }));
    await clock.advance(0);
    expect(labels.find("bound")).toEqual({ project: "other", domain: "production" });
    api.put(namespace("bound"));
    await clock.advance(0);
    expect(labels.find("bound")).toBeUndefined();
  });

  it("decide nothing once the watch has said nothing for 100 s, until it is begun anew", async () => {
    const { clock, labels } = await setUp();
    await clock.advance(0);
    await clock.advance(99_999);
    expect(labels.find("bound")).toEqual({ project: "shop", domain: "production" });
    await clock.advance(1);
    const unavailable = expect.objectContaining({ code: "store_unavailable" });
    expect(() => labels.find("bound")).toThrow(unavailable);
    expect(() => labels.ready()).toThrow(unavailable);
    await clock.advance(50_000);
    expect(labels.find("bound")).toEqual({ project: "shop", domain: "production" });
  });

  it("are no longer those of before when the namespace has gone", async () => {
    const { api, clock, labels, gets } = await setUp();
    await clock.advance(0);
    api.remove("bound");
    await clock.advance(0);
    await expect(labels.find("bound")).rejects.toMatchObject({ code: "claim_refused" });
    expect(gets).toEqual(["bound"]);
  });

  it("are no longer those of before when they were changed while nobody heard of it", async () => {
    const { api, clock, labels, gets } = await setUp();
    await clock.advance(0);
    api.unseen(() => {
      api.put(namespace("plain", SHOP));
      api.remove("bound");
    });
    await clock.advance(10_000);
    expect(labels.find("plain")).toEqual({ project: "shop", domain: "production" });
    await expect(labels.find("bound")).rejects.toMatchObject({ code: "claim_refused" });
    expect(gets).toEqual(["bound"]);
  });

  it("decide nothing before they are known, and again once the watch has failed for 10 s", async () => {
    const { clock, cut, comeBack, labels } = await setUp();
    const undecided = { code: "store_unavailable", message: expect.stringContaining("namespaceLabels") };
    expect(() => labels.find("bound")).toThrow(expect.objectContaining(undecided));
    await clock.advance(0);
    expect(labels.find("bound")).toBeDefined();
    await cut();
    expect(labels.find("bound")).toBeDefined();
    await clock.advance(11_000);
    for (const name of ["bound", "plain", "unknown"]) {
      expect(() => labels.find(name)).toThrow(expect.objectContaining(undecided));
    }
    expect(() => labels.ready()).toThrow(expect.objectContaining(undecided));
    await comeBack();
    expect(labels.find("bound")).toBeDefined();
  });
});

describe("a namespace that isn't known yet", () => {
  it("is asked for once, however many pods wait, and again by the next ones", async () => {
    const { api, clock, labels, gets, hold } = await setUp();
    await clock.advance(0);
    const held = Promise.withResolvers<void>();
    hold(held.promise);
    const answers = [labels.find("new"), labels.find("new"), labels.find("new")];
    api.put(namespace("new", SHOP));
    held.resolve();
    expect(await Promise.all(answers)).toEqual(Array(3).fill({ project: "shop", domain: "production" }));
    expect(gets).toEqual(["new"]);
    await clock.advance(0);
    expect(labels.find("new")).toEqual({ project: "shop", domain: "production" });
    expect(gets).toEqual(["new"]);
  });

  it("is refused when it does not exist, and so is the fifth at a time", async () => {
    const { clock, labels, gets, hold } = await setUp();
    await clock.advance(0);
    const held = Promise.withResolvers<void>();
    hold(held.promise);
    const asked = ["n1", "n2", "n3", "n4"].map((name) => labels.find(name));
    expect(() => labels.find("n5")).toThrow(expect.objectContaining({ code: "store_unavailable" }));
    held.resolve();
    for (const each of asked) {
      await expect(each).rejects.toMatchObject({
        code: "claim_refused",
        message: expect.stringMatching(/^namespace "n\d" does not exist/),
      });
    }
    expect(gets).toEqual(["n1", "n2", "n3", "n4"]);
    await expect(labels.find("n5")).rejects.toMatchObject({ code: "claim_refused" });
  });
});
