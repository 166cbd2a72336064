import {
  encodeSecretId,
  type FetchedValue,
  type SecretFetcher,
  type SecretId,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { type CachedLookupOptions, createCachedLookup } from "../cache/cached-lookup.ts";
import { NO_METRICS } from "../cache/lookup-metrics.ts";

export const scope = { org: "flyte", domain: "development", project: "shop" };
export const project: SecretId = { ...scope, name: "api-key" };
export const domain: SecretId = { ...project, project: "" };
export const global: SecretId = { ...domain, domain: "" };
export const down = new SecretsError("store_unavailable", "down");

/** A secret manager that the test holds in its hand: what it has, whether it is down, and when its calls end. */
function createBackend() {
  const values = new Map<string, FetchedValue>();
  const calls: string[][] = [];
  let gate: { promise: Promise<void>; open: () => void } | undefined;
  const backend = {
    calls,
    failure: undefined as SecretsError | undefined,
    set: (id: SecretId, text: string) => values.set(encodeSecretId(id), SecretValue.fromText(text)),
    damage: (id: SecretId) => values.set(encodeSecretId(id), new SecretsError("store_damaged", "damaged")),
    remove: (id: SecretId) => values.delete(encodeSecretId(id)),
    /** Calls take what is there when they begin, and end when the function that is returned is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = { promise, open: resolve };
      return () => {
        gate = undefined;
        resolve();
      };
    },
    fetcher: {
      name: "Test",
      async fetch(ids) {
        calls.push(ids.map(({ domain, project, name }) => `${domain}/${project}/${name}`));
        const { failure } = backend;
        const found = new Map(ids.map((id) => [id, values.get(encodeSecretId(id))] as const));
        await gate?.promise;
        if (failure) throw failure;
        return new Map([...found].flatMap(([id, value]) => (value ? [[id, value] as const] : [])));
      },
    } satisfies SecretFetcher,
  };
  return backend;
}

/** A lookup over such a backend; `time.now` is its clock. */
export function setUp(options: Partial<CachedLookupOptions> = {}) {
  const backend = createBackend();
  const time = { now: 0 };
  const logged: string[] = [];
  const counts = { memory: 0, backend: 0, expired: 0, fetched: {} as Record<string, number> };
  const lookup = createCachedLookup({
    fetcher: backend.fetcher,
    expiry: { ttlMs: 10_000, negativeTtlMs: 1_000, staleMs: 60_000 },
    maxBytes: 1_000_000,
    timeoutMs: 10_000,
    clock: () => time.now,
    log: pino({ level: "warn" }, { write: (line: string) => void logged.push(line) }),
    metrics: {
      ...NO_METRICS,
      answered: (from) => void counts[from]++,
      staleServed: () => void counts.expired++,
      fetched(outcome) {
        counts.fetched[outcome] = (counts.fetched[outcome] ?? 0) + 1;
      },
    },
    ...options,
  });
  onTestFinished(() => lookup.close());
  const find = async (key = "api-key", from = scope) => {
    const result = await lookup.find(from, key);
    return result.found ? `${result.level} ${result.value.revealText()}` : "nowhere";
  };
  return { backend, lookup, time, counts, logged, find };
}

/** Lets everything happen that is already on its way. */
export const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
