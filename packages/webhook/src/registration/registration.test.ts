import type { ServingCertificate } from "@flyte-secrets/certificates";
import { bundleIncludes, issueCertificate, joinBundles } from "@flyte-secrets/certificates";
import { type CertificateRotator, createCertificateRotator } from "@flyte-secrets/certificates/testing";
import { SecretsError } from "@flyte-secrets/core";
import { createMemoryApi, type MemoryApi } from "@flyte-secrets/kube/testing";
import { createManualClock } from "@flyte-secrets/testkit";
import { pino } from "pino";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { reconcileRegistration } from "./registration.ts";
import { mergeRegistration, registeredBundle, WEBHOOK_CONFIGURATIONS } from "./webhook-configuration.ts";

const HOUR_MS = 3_600_000;
const SETTINGS = {
  name: "hook",
  address: { url: "https://h/x" },
  timeoutSeconds: 10,
  failurePolicy: "Fail",
  namespaceSelector: null,
  objectSelector: null,
  matchConditions: [],
} as const;
let first: ServingCertificate;
let second: ServingCertificate;

beforeAll(async () => {
  [first, second] = [
    await issueCertificate({ names: ["a"], now: Date.now() }),
    await issueCertificate({ names: ["a"], now: Date.now() }),
  ];
});

function start({ api = createMemoryApi() }: { api?: MemoryApi } = {}) {
  const clock = createManualClock();
  const warnings: string[] = [];
  const rotator: CertificateRotator = createCertificateRotator(first, clock);
  const registration = reconcileRegistration({
    client: api.client,
    settings: SETTINGS,
    certificates: { ...rotator, close: async () => rotator.close() },
    clock,
    log: pino({ level: "warn" }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) }),
  });
  onTestFinished(async () => {
    rotator.close();
    await registration.close();
  });
  const found = () => {
    const object = api.read("hook");
    return object && WEBHOOK_CONFIGURATIONS.decode(object);
  };
  /** Somebody else's change. */
  const meddle = (failurePolicy: string) => {
    const object = found();
    if (object === undefined) throw new Error("nothing to change");
    api.put({ ...object, webhooks: object.webhooks?.map((webhook) => ({ ...webhook, failurePolicy })) });
  };
  const bundle = () => registeredBundle(found() ?? { ...WEBHOOK_CONFIGURATIONS, metadata: { name: "" } }) ?? "";
  return { api, clock, warnings, rotator, registration, found, meddle, bundle };
}

test("it is created, and ready once the API server tells that it carries the CA", async () => {
  const { api, clock, registration, bundle } = start();
  expect(registration.missing()).toBe(
    "MutatingWebhookConfiguration hook does not carry the CA of our certificate (not read yet)",
  );
  await clock.advance(0);
  expect(registration.missing()).toBeUndefined();
  expect(bundleIncludes(bundle(), first.ca)).toBe(true);
  expect(api.writes).toHaveLength(1);
  await clock.advance(3 * HOUR_MS);
  expect(api.writes).toHaveLength(1);
});

test("who loses a race is content with what the winner wrote", async () => {
  const api = createMemoryApi();
  api.failure = new SecretsError("already_exists", "lost");
  const { clock, registration, warnings } = start({ api });
  await clock.advance(0);
  expect(registration.missing()).toMatch(/does not carry the CA of our certificate$/);
  api.failure = undefined;
  api.put(mergeRegistration(undefined, SETTINGS, { ca: first.ca, prunesCas: true, now: clock.now() }));
  await clock.advance(HOUR_MS);
  expect(registration.missing()).toBeUndefined();
  expect(warnings).toEqual([]);
  expect(api.writes).toEqual([]);
});

test("a new CA is registered at once beside the old one, which is removed within the hour after it is needed", async () => {
  const { api, clock, rotator, registration, bundle } = start();
  await clock.advance(0);
  rotator.rotateTo(second);
  // The old one is still served.
  expect(registration.missing()).toBeUndefined();
  await clock.advance(0);
  expect(bundle()).toBe(joinBundles([second.ca, first.ca], 0));
  await clock.advance(60_000);
  expect(rotator.current()).toEqual(second);
  expect(bundle()).toBe(joinBundles([second.ca, first.ca], 0));
  await clock.advance(HOUR_MS);
  expect(bundle()).toBe(joinBundles([second.ca], 0));
  expect(api.writes).toHaveLength(3);
});

test("it is not ready while it cannot get the CA of what is served into the registration", async () => {
  const { api, clock, rotator, registration } = start();
  await clock.advance(0);
  api.failure = new SecretsError("store_unavailable", "down");
  rotator.rotateTo(second);
  await clock.advance(59_000);
  expect(registration.missing()).toBeUndefined();
  await clock.advance(5 * HOUR_MS);
  expect(registration.missing()).toBe(
    "MutatingWebhookConfiguration hook does not carry the CA of our certificate (down)",
  );
  api.failure = undefined;
  await clock.advance(10_000);
  expect(registration.missing()).toBeUndefined();
});

test("it comes back when it is deleted or changed", async () => {
  const { api, clock, found, meddle } = start();
  await clock.advance(0);
  const before = found()?.webhooks;
  api.remove("hook");
  await clock.advance(HOUR_MS / 2);
  expect(found()?.webhooks).toEqual(before);
  meddle("Ignore");
  await clock.advance(HOUR_MS / 2);
  expect(found()?.webhooks).toEqual(before);
});

test("what somebody undoes again and again is put back more and more slowly, and soon again after a calm", async () => {
  const { api, clock, found, meddle } = start();
  await clock.advance(HOUR_MS);
  const isRight = () => found()?.webhooks?.[0]?.failurePolicy === "Fail";
  for (let second = 0; second < 3600; second++) {
    if (isRight()) meddle("Ignore");
    await clock.advance(1000);
  }
  expect(api.writes.length).toBeGreaterThan(10);
  expect(api.writes.length).toBeLessThan(30);
  await clock.advance(HOUR_MS);
  expect(isRight()).toBe(true);
  meddle("Ignore");
  await clock.advance(0);
  expect(isRight()).toBe(true);
});

test("a write that fails is tried again, and readiness says why until it succeeds", async () => {
  const api = createMemoryApi();
  api.failure = new SecretsError("credentials_refused", "we may not");
  const { clock, registration } = start({ api });
  await clock.advance(1000);
  expect(registration.missing()).toBe(
    "MutatingWebhookConfiguration hook does not carry the CA of our certificate (we may not)",
  );
  api.failure = undefined;
  await clock.advance(60_000);
  expect(registration.missing()).toBeUndefined();
});

test("once closed it writes nothing more and leaves no timer", async () => {
  const { api, clock, registration } = start();
  await clock.advance(0);
  await registration.close();
  await registration.close();
  api.remove("hook");
  await clock.advance(HOUR_MS);
  expect(api.read("hook")).toBeUndefined();
  expect(clock.timers).toBe(0);
});
