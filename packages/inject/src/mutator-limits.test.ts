import {
  DEFAULT_POD_LIMITS,
  encodeBase32Lower,
  encodeRequestAnnotation,
  lookupIds,
  type PodLimits,
  REQUEST_ANNOTATION_PREFIX,
  type ScopeLookup,
  type SecretRequest,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { createSecretRefDelivery } from "./delivery/secret-ref.ts";
import { createAwsInjector } from "./managers/aws.ts";
import { createEmbeddedInjector } from "./managers/embedded.ts";
import type { Injector } from "./managers/injector.ts";
import { createK8sInjector } from "./managers/k8s.ts";
import { createMutator } from "./mutator.ts";
import { parsePod } from "./pod/parse-pod.ts";
import type { Pod } from "./pod/pod.ts";

const FILE = 2;
const NO_LIMIT = 1_000_000_000;
const UNLIMITED = Object.fromEntries(Object.keys(DEFAULT_POD_LIMITS).map((name) => [name, NO_LIMIT]));

/** Finds every key that can be, and counts what it was asked. */
function countingLookup(): ScopeLookup & { asked: number } {
  const value = SecretValue.fromText("value of all keys");
  const lookup = {
    asked: 0,
    find(scope: Parameters<ScopeLookup["find"]>[0], key: string) {
      lookup.asked++;
      const [narrowest] = lookupIds(scope, key);
      if (!narrowest) throw new Error("no id");
      return { found: true, ...narrowest, value, attempts: [] } as const;
    },
  };
  return lookup;
}

function setUp({ managers, ...limits }: Partial<PodLimits> & { managers?: Injector[] } = {}) {
  const lookup = countingLookup();
  const written: string[] = [];
  const mutator = createMutator({
    managers: managers ?? [createK8sInjector({ lookup, copies: true }), createEmbeddedInjector({ lookup })],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
    delivery: createSecretRefDelivery({ writer: { write: (namespace) => void written.push(namespace) } }),
    limits: { ...DEFAULT_POD_LIMITS, ...limits },
  });
  return { lookup, written, computeChange: async (pod: Pod) => mutator.computeChange(pod, { namespace: "p1-dev" }) };
}

function ask(key: string, rest: Partial<SecretRequest> = {}): SecretRequest {
  return { group: "", groupVersion: "", key, mountRequirement: 1, envVar: "", ...rest };
}

function podOf(requests: readonly SecretRequest[], spec: Partial<Pod["spec"]> = {}): Pod {
  const annotations = requests.map((one, at) => [`${REQUEST_ANNOTATION_PREFIX}${at}`, encodeRequestAnnotation(one)]);
  const labels = { organization: "flyte", domain: "dev", project: "p1" };
  return parsePod({
    metadata: { labels, annotations: Object.fromEntries(annotations) },
    spec: { containers: [{ name: "main" }], ...spec },
  });
}

const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const containers = (count: number) => many(count, (at) => ({ name: `c${at}` }));

test.each<{ what: string; pod: Pod; setting: string; code?: string }>([
  { what: "more requests", pod: podOf(many(257, (at) => ask(`k${at}`))), setting: "requests" },
  { what: "a key of 254 characters", pod: podOf([ask("k".repeat(254))]), setting: "keyLength" },
  { what: "a group of 2,049", pod: podOf([ask("k", { group: "g".repeat(2_049) })]), setting: "groupLength" },
  {
    what: "a version of 254",
    pod: podOf([ask("k", { groupVersion: "1".repeat(254) })]),
    setting: "groupVersionLength",
  },
  { what: "a variable of 254", pod: podOf([ask("k", { envVar: "E".repeat(254) })]), setting: "envVarLength" },
  {
    what: "a request that is padded",
    pod: parsePod({
      metadata: { annotations: { "flyte.secrets/s0": encodeBase32Lower(`key: "k"${" ".repeat(5_000_000)}`) } },
      spec: { containers: [] },
    }),
    setting: "annotationLength",
  },
  {
    what: "more variables in more containers",
    pod: podOf(
      many(256, (at) => ask(`k${at}`)),
      { containers: containers(64) },
    ),
    setting: "edits",
  },
  {
    what: "a larger patch",
    pod: podOf(
      many(200, (at) => ask(`${at}`.padStart(100, "k"))),
      { containers: containers(50) },
    ),
    setting: "patchBytes",
  },
  {
    what: "more init containers of ours",
    pod: podOf(many(256, (at) => ask(`k${at}`, { group: `a/${at}`, mountRequirement: FILE, groupVersion: "v" }))),
    setting: "edits",
  },
])("a pod with $what is refused, and nothing is written for it", async ({ pod, setting }) => {
  const { written, computeChange } = setUp({ edits: setting === "edits" ? 200 : DEFAULT_POD_LIMITS.edits });
  const error = await computeChange(pod).catch((error) => error);
  expect(error).toBeInstanceOf(SecretsError);
  expect(error).toMatchObject({ code: "limit_exceeded", kind: { admission: 400 } });
  expect(error.message).toMatch(new RegExp(`^.{1,300} \\(webhook\\.limits\\.${setting}\\)$`));
  expect(written).toEqual([]);
});

test("requests are counted before one is read or looked up", async () => {
  const { lookup, computeChange } = setUp();
  const annotations = Object.fromEntries(many(20_000, (at) => [`${REQUEST_ANNOTATION_PREFIX}${at}`, "not base32"]));
  const pod = parsePod({ metadata: { annotations }, spec: { containers: [{ name: "main" }] } });
  await expect(computeChange(pod)).rejects.toThrow("requests of the pod: 20000 is over the limit of 256");
  expect(lookup.asked).toBe(0);
});

test("a pod with all that the limits allow is let in", async () => {
  const { computeChange } = setUp();
  const full = { group: "g".repeat(253), groupVersion: "1".repeat(253), envVar: "E".repeat(253) };
  const requests = many(256, (at) => ask(`${at}`.padStart(200, "k"), { envVar: at === 0 ? full.envVar : "" }));
  const mutation = await computeChange(podOf([...requests.slice(1), ask("key", full)]));
  expect(mutation.changed && mutation.injections.length).toBe(256);
});

test("of warnings, as many are shown as the limit says, and how many more there are", async () => {
  const requests = many(10, (at) =>
    ask("k", { group: `/g${"/g".repeat(at)}`, groupVersion: `${at}`, mountRequirement: FILE }),
  );
  const warningsWith = async (warnings: number) => {
    const mutation = await setUp({ warnings }).computeChange(podOf(requests));
    return mutation.changed ? mutation.warnings : [];
  };
  const all = await warningsWith(16);
  expect(all).toHaveLength(9);
  expect(await warningsWith(9)).toEqual(all);
  expect(await warningsWith(3)).toEqual([...all.slice(0, 2), "7 more warnings are left out (webhook.limits.warnings)"]);
});

/**
 * Each took seconds or minutes when somebody compared all with all. They are left to the time limit of a test, which is
 * far off.
 */
test.each<{ what: string; pod: Pod; managers?: Injector[]; outcome: object }>([
  {
    what: "files of as many groups",
    pod: podOf(many(20_000, (at) => ask(`k${at}`, { group: `g${at}`, mountRequirement: FILE }))),
    outcome: { changed: true },
  },
  {
    what: "files of as many groups beside one without a group",
    pod: podOf(many(20_000, (at) => ask(`k${at}`, { group: at === 0 ? "" : `g${at}`, mountRequirement: FILE }))),
    outcome: { changed: true },
  },
  {
    what: "groups one below the other",
    pod: podOf(many(1_000, (at) => ask("k", { group: `g${"/g".repeat(at)}`, mountRequirement: FILE }))),
    outcome: { changed: true },
  },
  {
    what: "the same file again and again",
    pod: podOf(many(20_000, () => ask("k", { group: "g", mountRequirement: FILE }))),
    outcome: { changed: true },
  },
  {
    what: "a volume of the pod with the items already",
    pod: podOf(
      many(20_000, (at) => ask(`k${at}`, { group: "g", mountRequirement: FILE })),
      {
        volumes: [
          ...many(20_000, (at) => ({ name: `v${at}` })),
          {
            name: `${encodeBase32Lower("g_")}`,
            secret: { secretName: "g", items: many(20_000, (at) => ({ key: `k${at}`, path: `k${at}` })) },
          },
        ],
      },
    ),
    outcome: { changed: true },
  },
  {
    what: "names of containers, of which one is of no container",
    pod: {
      ...podOf([ask("k")], { containers: containers(50_000) }),
      metadata: {
        annotations: {
          ...podOf([ask("k")]).metadata?.annotations,
          "flyte.secrets/containers": many(50_000, (at) => `c${49_999 - at}`).join(",") + ",x".repeat(1_000),
        },
      },
    },
    outcome: { code: "invalid_annotation", message: expect.stringMatching(/^.{1,400}$/) },
  },
  {
    what: "init containers that have the names and shape of ours",
    pod: podOf(
      many(50, (at) => ask(`k${at}`, { group: "arn", mountRequirement: FILE, groupVersion: "1" })),
      {
        initContainers: many(20_000, (at) => ({
          name: `aws-pull-secret-${at + 20_000}`,
          image: "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4",
          volumeMounts: [{ name: "aws-secret-vol", mountPath: "/tmp" }],
        })),
      },
    ),
    managers: [createAwsInjector()],
    outcome: { changed: true },
  },
])("the work for $what grows with their number and not with its square", async ({ pod, managers, outcome }) => {
  const { computeChange } = setUp({ ...UNLIMITED, warnings: 16, ...(managers && { managers }) });
  expect(await computeChange(pod).catch((error) => error)).toMatchObject(outcome);
});
