import { issueCertificate, joinBundles } from "@flyte-secrets/certificates";
import { LIFETIME_MS } from "@flyte-secrets/certificates/testing";
import { beforeAll, expect, test } from "vitest";
import {
  type MutatingWebhookConfiguration,
  mergeRegistration,
  type RegistrationSettings,
  registeredBundle,
} from "./webhook-configuration.ts";

const now = Date.now();
const SETTINGS: RegistrationSettings = {
  name: "hook",
  address: { service: { name: "hook", namespace: "flyte", port: 443 } },
  timeoutSeconds: 30,
  failurePolicy: "Fail",
  namespaceSelector: null,
  objectSelector: null,
  matchConditions: [],
};
let ca: string;
let otherCa: string;
let endedCa: string;

beforeAll(async () => {
  const make = async (when: number) => (await issueCertificate({ names: ["hook"], now: when })).ca;
  [ca, otherCa, endedCa] = [await make(now), await make(now), await make(now - LIFETIME_MS - 1000)];
});

const base64 = (text: string) => Buffer.from(text).toString("base64");
const bundle = (prunesCas = false) => ({ ca, prunesCas, now });

/** What is made of nothing. */
const fresh = () => mergeRegistration(undefined, SETTINGS, bundle());
const withOwn = (more: object): MutatingWebhookConfiguration => {
  const made = fresh();
  return { ...made, webhooks: (made.webhooks ?? []).map((webhook) => ({ ...webhook, ...more })) };
};

test("a new registration is Flyte's, but for the time limit and being asked again", () => {
  expect(fresh()).toEqual({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "hook" },
    webhooks: [
      {
        name: "flyte-pod-webhook.flyte.org",
        clientConfig: {
          service: { name: "hook", namespace: "flyte", port: 443, path: "/mutate--v1-pod" },
          caBundle: base64(ca),
        },
        rules: [{ operations: ["CREATE"], apiGroups: ["*"], apiVersions: ["v1"], resources: ["pods"], scope: "*" }],
        failurePolicy: "Fail",
        matchPolicy: "Equivalent",
        sideEffects: "NoneOnDryRun",
        admissionReviewVersions: ["v1", "v1beta1"],
        reinvocationPolicy: "IfNeeded",
        timeoutSeconds: 30,
        namespaceSelector: {},
        objectSelector: { matchLabels: { "inject-flyte-secrets": "true" } },
      },
    ],
  });
});

test("one that is in order is left alone, whatever others added to it", () => {
  const expression = { key: "control-plane", operator: "DoesNotExist" };
  const found = withOwn({
    matchConditions: [{ name: "c", expression: "true" }],
    matchPolicy: "Exact",
    newField: 1,
    namespaceSelector: { matchExpressions: [expression] },
    objectSelector: { matchLabels: { a: "b", "inject-flyte-secrets": "true" } },
    clientConfig: { ...fresh().webhooks?.[0]?.clientConfig, caBundle: base64(`${otherCa}${ca}`) },
  });
  expect(mergeRegistration(found, SETTINGS, bundle())).toBe(found);
});

test("our own fields are put right, and the rest of the object stays", () => {
  const other = { name: "other.example.com" };
  const found = {
    ...withOwn({ failurePolicy: "Ignore", rules: [], objectSelector: {}, clientConfig: { url: "https://x" } }),
    metadata: { name: "hook", resourceVersion: "7", labels: { a: "b" } },
  };
  const merged = mergeRegistration({ ...found, webhooks: [other, ...(found.webhooks ?? [])] }, SETTINGS, bundle());
  expect(merged).toEqual({ ...found, webhooks: [other, ...(fresh().webhooks ?? [])] });
  expect(mergeRegistration({ ...found, webhooks: [other] }, SETTINGS, bundle()).webhooks).toEqual([
    other,
    ...(fresh().webhooks ?? []),
  ]);
});

test("the configured selector is set beside what others added", () => {
  const own = { key: "flyte", operator: "Exists" };
  const added = { key: "control-plane", operator: "DoesNotExist" };
  const settings = { ...SETTINGS, namespaceSelector: { matchLabels: { env: "prod" }, matchExpressions: [own] } };
  const found = withOwn({ namespaceSelector: { matchLabels: { env: "dev", a: "b" }, matchExpressions: [added] } });
  const merged = mergeRegistration(found, settings, bundle());
  expect(merged.webhooks?.[0]?.namespaceSelector).toEqual({
    matchLabels: { env: "prod", a: "b" },
    matchExpressions: [own, added],
  });
  expect(mergeRegistration(merged, settings, bundle())).toBe(merged);
});

test("pods are selected and conditions are asked beside what others added, and the label is always asked for", () => {
  const own = { key: "team", operator: "Exists" };
  const added = { key: "a", operator: "Exists" };
  const matchLabels = { team: "shop", "inject-flyte-secrets": "false" };
  const condition = (name: string, expression = "true") => ({ name, expression });
  const settings: RegistrationSettings = {
    ...SETTINGS,
    failurePolicy: "Ignore",
    objectSelector: { matchLabels, matchExpressions: [own] },
    matchConditions: [condition("ours", "1 == 1")],
  };
  const found = withOwn({
    objectSelector: { matchLabels: { c: "d" }, matchExpressions: [added] },
    matchConditions: [condition("theirs"), condition("ours", "false")],
  });
  const merged = mergeRegistration(found, settings, bundle());
  expect(merged.webhooks?.[0]).toMatchObject({
    failurePolicy: "Ignore",
    objectSelector: {
      matchLabels: { c: "d", team: "shop", "inject-flyte-secrets": "true" },
      matchExpressions: [own, added],
    },
    matchConditions: [condition("ours", "1 == 1"), condition("theirs")],
  });
  expect(mergeRegistration(merged, settings, bundle())).toBe(merged);
  // Of what isn't configured, others' stays.
  expect(mergeRegistration(merged, SETTINGS, bundle()).webhooks?.[0]?.matchConditions).toHaveLength(2);
});

test("an address outside of the cluster takes the place of the service", () => {
  const url = "https://host:9443/mutate--v1-pod";
  const merged = mergeRegistration(fresh(), { ...SETTINGS, address: { url } }, bundle());
  expect(merged.webhooks?.[0]?.clientConfig).toEqual({ url, caBundle: base64(ca) });
});

test("a CA is added to those that are still valid, and the others are removed only when they are to be", () => {
  const bundleAfter = (caBundle: string | undefined, prunesCas: boolean) => {
    const { service } = fresh().webhooks?.[0]?.clientConfig ?? {};
    const found = withOwn({ clientConfig: { service, ...(caBundle !== undefined && { caBundle }) } });
    return registeredBundle(mergeRegistration(found, SETTINGS, bundle(prunesCas)));
  };
  const own = joinBundles([ca], now);
  const both = joinBundles([ca, otherCa], now);
  expect(bundleAfter(base64(otherCa + endedCa), false)).toBe(both);
  expect(bundleAfter(base64(otherCa + endedCa), true)).toBe(own);
  expect(bundleAfter(base64(both), true)).toBe(own);
  for (const placeholder of [
    undefined,
    "",
    "Cg==",
    base64("-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"),
  ]) {
    expect(bundleAfter(placeholder, false)).toBe(own);
  }
});

test("a configuration without our webhook carries nothing for us", () => {
  expect(registeredBundle({ ...fresh(), webhooks: [] })).toBeUndefined();
  expect(registeredBundle(fresh())).toBe(joinBundles([ca], now));
});
