import { SecretsError } from "@flyte-secrets/core";
import { createManualClock, type ManualClock } from "@flyte-secrets/testkit";
import { type Logger, pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { bundleIncludes, joinBundles, parseCertificates, subjectAltNames, validateCertificate } from "./chain.ts";
import { issueCertificate, LIFETIME_MS } from "./issue-certificate.ts";
import { CA_PROPAGATION_MS } from "./rotator.ts";
import { openSelfSignedSource, REACTION_MS, RECONCILE_INTERVAL_MS } from "./self-signed-source.ts";
import { makeFlytesCertificate } from "./testing/make-flytes-certificate.ts";
import { createMemoryStorage, type MemoryStorage } from "./testing/memory-storage.ts";

const names = ["hook", "hook.flyte.svc"];
const log = pino({ level: "silent" });

async function open(storage: MemoryStorage, clock: ManualClock, more: { names?: string[]; log?: Logger } = {}) {
  const source = await openSelfSignedSource({ storage, names, clock, log, ...more });
  onTestFinished(() => source.close());
  return source;
}

const make = (clock: ManualClock, more: { names?: string[]; age?: number } = {}) =>
  issueCertificate({ names: more.names ?? names, now: clock.now() - (more.age ?? 0) });

test("a certificate is made where there is none, and found again", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const first = await open(storage, clock);
  expect(validateCertificate(first.current(), { names, now: clock.now() })).toBeUndefined();
  const second = await open(storage, clock);
  expect(second.current()).toEqual(first.current());
  expect(storage.writes).toBe(1);
});

test("a certificate that Flyte made is used as it is", async () => {
  const storage = createMemoryStorage();
  storage.content = await makeFlytesCertificate(names);
  const clock = createManualClock();
  const source = await open(storage, clock);
  expect(source.current()).toEqual(storage.content);
  await clock.advance(2 * RECONCILE_INTERVAL_MS);
  expect(source.current()).toEqual(storage.content);
  expect(storage.writes).toBe(1);
});

test("of replicas that make one at once the first to keep it wins and the others take that", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const sources = await Promise.all([1, 2, 3, 4, 5].map(() => open(storage, clock)));
  expect(new Set(sources.map((source) => source.current().cert)).size).toBe(1);
  expect(storage.writes).toBe(1);
});

test("it is renewed when a third of its time is left: both CAs at once, then the new certificate, in all replicas", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const old = await make(clock, { age: (LIFETIME_MS * 2) / 3 - 2 * RECONCILE_INTERVAL_MS });
  storage.content = old;
  const replicas = [await open(storage, clock), await open(storage, clock)];
  await clock.advance(RECONCILE_INTERVAL_MS);
  expect(replicas.map((source) => source.current())).toEqual([old, old]);

  await clock.advance(RECONCILE_INTERVAL_MS);
  await until(() => storage.writes === 2);
  const next = storage.content;
  // The slower one makes a certificate too, in vain, before it takes the other's.
  await until(() => replicas.every((source) => bundleIncludes(source.current().ca, old.ca + next.ca)));
  await clock.advance(REACTION_MS);
  expect(replicas.map((source) => source.current().cert)).toEqual([old.cert, old.cert]);

  await clock.advance(CA_PROPAGATION_MS);
  expect(replicas.map((source) => source.current())).toEqual([next, next]);

  await clock.advance(RECONCILE_INTERVAL_MS + REACTION_MS);
  expect(replicas.map((source) => source.current().cert)).toEqual([next.cert, next.cert]);
  expect(replicas.map((source) => parseCertificates(source.current().ca).length)).toEqual([1, 1]);
  expect(storage.writes).toBe(3);
});

test("a certificate can be renewed ahead of time, and every replica follows", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const [one, other] = [await open(storage, clock), await open(storage, clock)];
  const old = one.current();
  await one.renew();
  await clock.advance(REACTION_MS + CA_PROPAGATION_MS);
  expect(one.current().cert).not.toBe(old.cert);
  expect(other.current()).toEqual(one.current());
});

test("who renews keeps the names of the certificate before, so that a webhook that is called by more is content", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const called = ["10.1.2.3", "hook.example.com"];
  const webhook = await open(storage, clock, { names: [...names, ...called] });
  const renewed = await (await open(storage, clock)).renew();
  expect(subjectAltNames(renewed.cert)).toEqual([...names, ...called]);
  await clock.advance(REACTION_MS + CA_PROPAGATION_MS);
  expect(webhook.current()).toEqual(renewed);
});

test("two replicas that are told to renew at once renew once", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const replicas = [await open(storage, clock), await open(storage, clock)];
  await Promise.all(replicas.map((source) => source.renew()));
  expect(storage.writes).toBe(2);
  await clock.advance(REACTION_MS + CA_PROPAGATION_MS);
  expect(replicas.map((source) => source.current())).toEqual([storage.content, storage.content]);
});

test("what others keep there is followed", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const source = await open(storage, clock);
  const next = await make(clock);
  storage.content = { ...next, ca: joinBundles([next.ca, source.current().ca], 0) };
  await clock.advance(REACTION_MS + CA_PROPAGATION_MS);
  expect(source.current().cert).toBe(next.cert);
});

test("a change that comes while it is reading an earlier one is not missed", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const source = await open(storage, clock);
  const gate = Promise.withResolvers<void>();
  const { read } = storage;
  storage.read = async () => {
    const kept = await read();
    await gate.promise;
    return kept;
  };
  storage.content = await make(clock);
  await clock.advance(REACTION_MS);
  const last = await make(clock);
  storage.content = last;
  gate.resolve();
  await clock.advance(REACTION_MS + CA_PROPAGATION_MS);
  expect(source.current()).toEqual(last);
});

test("a storage that never rests is read all the same", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const source = await open(storage, clock);
  const before = source.current().cert;
  const next = await make(clock);
  for (let time = 0; time < CA_PROPAGATION_MS + 2 * REACTION_MS; time += REACTION_MS / 5) {
    storage.content = next;
    await clock.advance(REACTION_MS / 5);
  }
  expect(source.current().cert).not.toBe(before);
});

test.each([
  ["ended", (clock: ManualClock) => make(clock, { age: LIFETIME_MS + 1000 })],
  ["is for other names", (clock: ManualClock) => make(clock, { names: ["hook"] })],
  ["is empty", async () => ({ cert: "", key: "", ca: "" })],
  ["is damaged", async (clock: ManualClock) => ({ ...(await make(clock)), key: "-----BEGIN PRIVATE KEY-----\nAAAA" })],
])("a kept certificate that %s is replaced", async (_, content) => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  storage.content = await content(clock);
  const source = await open(storage, clock);
  expect(validateCertificate(source.current(), { names, now: clock.now() })).toBeUndefined();
  expect(storage.content).toEqual(source.current());
});

test("a certificate that disappears or is damaged while it serves is put back as it was", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const warnings: string[] = [];
  const warned = pino({ level: "warn" }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) });
  const source = await open(storage, clock, { log: warned });
  const before = source.current();
  for (const content of [undefined, { ...before, key: "" }, await make(clock, { names: ["hook"] })]) {
    storage.content = content;
    await clock.advance(REACTION_MS);
    expect(storage.content).toEqual(before);
    expect(source.current()).toEqual(before);
  }
  const back = ": the served certificate was stored there again";
  expect(warnings).toEqual([
    `memory was deleted${back}`,
    `memory held another certificate, and its certificate and key do not belong together${back}`,
    `memory held another certificate, and it is not for the name hook.flyte.svc${back}`,
  ]);
});

test("somebody else's certificate is used and followed, and never written over", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const age = LIFETIME_MS - 5 * RECONCILE_INTERVAL_MS;
  storage.foreign = true;
  storage.content = await make(clock, { age });
  const source = await open(storage, clock);
  expect(source.current()).toEqual(storage.content);
  await expect(source.renew()).rejects.toMatchObject({ code: "call_refused" });
  await clock.advance(2 * RECONCILE_INTERVAL_MS);
  const next = await make(clock);
  storage.content = next;
  await clock.advance(REACTION_MS + CA_PROPAGATION_MS);
  expect(source.current()).toEqual(next);
  expect(storage.writes).toBe(2);
});

test("somebody else's certificate that is no good is an error that says what to do", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  storage.foreign = true;
  storage.content = await make(clock, { names: ["elsewhere"] });
  await expect(open(storage, clock)).rejects.toMatchObject({
    code: "call_refused",
    message:
      "memory holds somebody else's certificate, and it is not for the name hook. Have it renewed by whoever made it, or delete it: then one is made.",
  });
});

test("while the storage is out of reach the certificate in memory serves, and afterwards changes are taken up", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const source = await open(storage, clock);
  const before = source.current();
  const next = await make(clock);
  storage.content = { ...next, ca: joinBundles([next.ca, before.ca], 0) };
  storage.failure = new SecretsError("store_unavailable", "down");
  await clock.advance(RECONCILE_INTERVAL_MS);
  expect(source.current()).toEqual(before);
  storage.failure = undefined;
  await clock.advance(10_000 + CA_PROPAGATION_MS);
  expect(source.current().cert).toBe(next.cert);
});

test("a storage that others change again and again is given up", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  storage.create = async () => false;
  await expect(open(storage, clock)).rejects.toMatchObject({ code: "conflict" });
});

test("a closed source leaves no timer", async () => {
  const [storage, clock] = [createMemoryStorage(), createManualClock()];
  const source = await openSelfSignedSource({ storage, names, clock, log });
  await source.close();
  await source.close();
  expect(clock.timers).toBe(0);
});

/** Making a certificate takes real time, which the manual clock knows nothing of. */
async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve));
}
