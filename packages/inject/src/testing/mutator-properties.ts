import {
  encodeSecretId,
  imagePullSecretName,
  isSecretsError,
  lookupIds,
  type ScopeLookup,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import fc from "fast-check";
import jsonPatch from "fast-json-patch";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../delivery/delivery.ts";
import { createInlineDelivery } from "../delivery/inline.ts";
import { createSecretRefDelivery } from "../delivery/secret-ref.ts";
import { createAwsInjector } from "../managers/aws.ts";
import { createAzureInjector } from "../managers/azure.ts";
import { createEmbeddedInjector } from "../managers/embedded.ts";
import { createGcpInjector } from "../managers/gcp.ts";
import { createGlobalInjector } from "../managers/global.ts";
import type { Injector } from "../managers/injector.ts";
import { createK8sInjector } from "../managers/k8s.ts";
import { createVaultInjector } from "../managers/vault.ts";
import { createMutator, type Mutation } from "../mutator.ts";
import { CONTAINERS_ANNOTATION } from "../pod/named-containers.ts";
import { parsePod } from "../pod/parse-pod.ts";
import type { EnvVar, Pod } from "../pod/pod.ts";

const KEYS = ["password", "my-key", "Token_2", "API_KEY", "Up.Down", "k"];
const GROUPS = ["", "db", "DB", "group-a", "projects/p/secrets/s", "https://v.vault.azure.net/secrets/n/"];
const VARIABLES = [
  "A",
  "DB_PASSWORD",
  "lower_case",
  "_UNION_PASSWORD",
  "_UNION_DB_PASSWORD",
  "FLYTE_SECRETS_DEFAULT_DIR",
];
const MANAGERS = ["K8s", "AWS", "GCP", "Azure", "Vault", "Embedded"] as const;
const SCOPE = { org: "flyte", domain: "dev", project: "p1" };

/** A list that may be missing, empty or null. */
const listOf = <T>(item: fc.Arbitrary<T>) => fc.option(fc.array(item, { maxLength: 4 }), { nil: undefined });
/** Fields that no Kubernetes version has, with whatever JSON can say. */
const future = fc.dictionary(
  fc.constantFrom("future", "x/y~z", "__proto__", "constructor"),
  fc.jsonValue({ maxDepth: 1 }),
  {
    maxKeys: 2,
  },
);

const variable = fc
  .tuple(fc.constantFrom(...VARIABLES), fc.string(), future)
  .map(([name, value, rest]) => ({ ...rest, name, value }));
const mount = fc
  .tuple(fc.constantFrom("data", "cache", "tmp"), future)
  .map(([name, rest]) => ({ ...rest, name, mountPath: `/${name}` }));
const container = (name: string) =>
  fc
    .tuple(listOf(variable), listOf(mount), future)
    .map(([env, volumeMounts, rest]) => ({ ...rest, name, image: "img", env, volumeMounts }));
const containers = (name: string, minLength: number) =>
  fc
    .integer({ min: minLength, max: 3 })
    .chain((length) => fc.tuple(...Array.from({ length }, (_, index) => container(`${name}${index}`))));
const volume = fc
  .tuple(fc.constantFrom("data", "cache", "tmp"), future)
  .map(([name, rest]) => ({ ...rest, name, emptyDir: {} }));

const request = fc.record({
  group: fc.constantFrom(...GROUPS),
  groupVersion: fc.constantFrom("", "1", "kv1", "db", "latest"),
  key: fc.constantFrom(...KEYS),
  mountRequirement: fc.constantFrom(0, 1, 2),
  envVar: fc.constantFrom("", "", ...VARIABLES, "SECRETS", "SECRET_ARN"),
});

const generated = fc.record({
  requests: fc.array(request, { maxLength: 6 }),
  containers: containers("c", 1),
  initContainers: fc.option(containers("init", 0), { nil: undefined }),
  volumes: fc.option(fc.uniqueArray(volume, { selector: ({ name }) => name }), { nil: undefined }),
  future,
  scoped: fc.boolean(),
  /** Only for the first container, which every pod has. */
  named: fc.boolean(),
  managers: fc.shuffledSubarray([...MANAGERS], { minLength: 1 }),
  // One entry for each key and level: nothing, text or bytes.
  store: fc.array(fc.constantFrom("none", "text", "text", "bytes"), { minLength: 18, maxLength: 18 }),
  global: fc.array(fc.constantFrom(...KEYS), { maxLength: 2 }),
  style: fc.constantFrom("raw", "posix"),
  namespace: fc.constantFrom("p1-dev", "elsewhere"),
  /** Keys whose secrets have an image-pull Secret beside them, and those that the pod names itself. */
  pulled: fc.subarray(KEYS),
  pullSecrets: listOf(fc.constantFrom("own", ...KEYS.map((name) => imagePullSecretName({ ...SCOPE, name })))),
});
type Generated = typeof generated extends fc.Arbitrary<infer T> ? T : never;

function podOf(one: Generated): Pod {
  const labels = one.scoped ? { organization: "flyte", domain: "dev", project: "p1" } : { organization: "flyte" };
  const named = one.named ? { [CONTAINERS_ANNOTATION]: "c0" } : {};
  const annotations = { team: "x", ...named, ...toRequestAnnotations(one.requests) };
  const { containers, initContainers, volumes } = one;
  const imagePullSecrets = one.pullSecrets?.map((name) => ({ name }));
  // Through JSON, as it comes: without undefined fields, and with `__proto__` as a name like any other.
  const pod = {
    ...one.future,
    metadata: { ...one.future, name: "pod", namespace: one.namespace, labels, annotations },
    spec: { ...one.future, containers, initContainers, volumes, imagePullSecrets },
  };
  return parsePod(JSON.parse(JSON.stringify(pod)));
}

const CANARY = "canary-value-";

function lookupOf(one: Generated): ScopeLookup {
  const values = new Map<string, SecretValue>();
  for (const [at, key] of KEYS.entries()) {
    for (const [level, { id }] of lookupIds(SCOPE, key).entries()) {
      const entry = one.store[at * 3 + level];
      const text = `${CANARY}${key}-${level}`;
      if (entry === "text") values.set(encodeSecretId(id), SecretValue.fromText(text));
      if (entry === "bytes")
        values.set(encodeSecretId(id), SecretValue.fromBytes(Buffer.from(`\xff${text}`, "latin1")));
    }
  }
  return {
    async find(scope, key) {
      for (const { id, level } of lookupIds(scope, key)) {
        const value = values.get(encodeSecretId(id));
        // What is at domain scope lies in a namespace of the cluster.
        if (value)
          return { found: true, id, level, value, attempts: [], ...(level === "domain" && { namespace: "p1-dev" }) };
      }
      return { found: false, attempts: [] };
    },
  };
}

function mutatorOf(one: Generated, delivery: Delivery) {
  const lookup = lookupOf(one);
  const known: Record<(typeof MANAGERS)[number], Injector> = {
    Embedded: createEmbeddedInjector({ lookup }),
    K8s: createK8sInjector({ lookup, copies: delivery.name === "SecretRef" }),
    AWS: createAwsInjector(),
    GCP: createGcpInjector(),
    Azure: createAzureInjector(),
    Vault: createVaultInjector(),
  };
  const global = createGlobalInjector({
    readVariable: (name) =>
      one.global.some((key) => name === `FLYTE_SECRET_DB_${key.toUpperCase()}`) ? `${CANARY}${name}` : undefined,
    readFile: async () => undefined,
  });
  return createMutator({
    managers: [global, ...one.managers.map((name) => known[name])],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: one.style,
    delivery,
    imagePull: {
      find: (id) => (one.pulled.includes(id.name) ? imagePullSecretName(id) : undefined),
      async copy() {},
    },
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const field of Object.values(value)) deepFreeze(field);
    Object.freeze(value);
  }
  return value;
}

/** The mutation, or undefined when the pod was rejected as it may be. */
async function mutate(one: Generated, { pod, delivery }: { pod: Pod; delivery: Delivery }) {
  try {
    return await mutatorOf(one, delivery).mutate(pod);
  } catch (error) {
    if (isSecretsError(error, "not_injected", "pod_conflict")) return undefined;
    throw error;
  }
}

type Changed = Extract<Mutation, { changed: true }>;

/** Checks a property on every pod that is changed, with both deliveries; fails if next to none is. */
async function checkChanged(
  runs: number,
  check: (context: { pod: Pod; mutation: Changed; one: Generated; delivery: Delivery }) => void | Promise<void>,
  deliveries: readonly (() => Delivery)[] = [secretRef, createInlineDelivery],
) {
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(generated, async (one) => {
      for (const create of deliveries) {
        const delivery = create();
        const pod = deepFreeze(podOf(one));
        const mutation = await mutate(one, { pod, delivery });
        if (!mutation?.changed) continue;
        changed++;
        await check({ pod, mutation, one, delivery });
      }
    }),
    { numRuns: runs },
  );
  expect(changed).toBeGreaterThan((runs * deliveries.length) / 10);
}

function secretRef(): Delivery {
  return createSecretRefDelivery({ writer: { async write() {} }, namingKey: new Uint8Array(32) });
}

/** What the pod had, as a subsequence of what it has: in the same order, with ours among it. */
function expectKept(before: unknown, after: unknown) {
  if (!before) return;
  const rest = (after as unknown[]).values();
  for (const item of before as unknown[]) {
    let found = false;
    for (const candidate of rest) {
      found = isEqual(candidate, item);
      if (found) break;
    }
    expect(found, `${JSON.stringify(item)} was lost or moved`).toBe(true);
  }
}

/** Whether variables are some new ones and then those that were there and have another name, in their order. */
function isInFront(after: readonly EnvVar[], before: readonly EnvVar[]): boolean {
  for (let count = 0; count <= after.length; count++) {
    const names = new Set(after.slice(0, count).map(({ name }) => name));
    const kept = before.filter(({ name }) => !names.has(name));
    if (isEqual(after.slice(count), kept)) return true;
  }
  return false;
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Declares tests of the properties that every mutation has, each over `runs` random pods, requests and managers. */
export function describeMutatorProperties(runs: number): void {
  describe("for whatever pod, requests and managers", { timeout: 30_000 + runs * 100 }, () => {
    it("the patch applied to the pod is the mutated pod, and the pod itself stays as it was", async () => {
      await checkChanged(runs, ({ pod, mutation }) => {
        const patched = jsonPatch.applyPatch(
          structuredClone(pod),
          structuredClone([...mutation.patch.operations]) as jsonPatch.Operation[],
          true,
          true,
          false,
        );
        expect(patched.newDocument).toEqual(mutation.pod);
        expect(JSON.parse(mutation.patch.json)).toEqual(JSON.parse(JSON.stringify(mutation.patch.operations)));
      });
    });

    it("mutating twice is mutating once, also when the API server has dropped empty values in between", async () => {
      await checkChanged(runs, async ({ mutation, one, delivery }) => {
        expect(await mutate(one, { pod: deepFreeze(mutation.pod), delivery })).toEqual({ changed: false });
        const returned = JSON.parse(
          JSON.stringify(mutation.pod, (name, value) => (name === "value" && value === "" ? undefined : value)),
        );
        expect(await mutate(one, { pod: returned, delivery })).toEqual({ changed: false });
      });
    });

    it("nothing that the pod had is lost or moved, apart from the variables that are set", async () => {
      await checkChanged(runs, ({ pod, mutation }) => {
        const { metadata, spec, ...around } = mutation.pod;
        expect(around).toEqual(
          Object.fromEntries(Object.entries(pod).filter(([name]) => name !== "metadata" && name !== "spec")),
        );
        expect({ ...metadata, annotations: undefined }).toEqual({ ...pod.metadata, annotations: undefined });
        expect(metadata?.annotations).toMatchObject(pod.metadata?.annotations ?? {});
        const { containers, initContainers, volumes, imagePullSecrets, ...others } = spec;
        const { containers: _, initContainers: initBefore = [], volumes: volumesBefore, ...rest } = pod.spec;
        const { imagePullSecrets: pullsBefore, ...othersBefore } = rest;
        expect(others).toEqual(othersBefore);
        expectKept(volumesBefore, volumes);
        expectKept(pullsBefore, imagePullSecrets);

        expect(containers).toHaveLength(pod.spec.containers.length);
        const before = [...pod.spec.containers, ...(initBefore ?? [])];
        const after = [...containers, ...(initContainers ?? []).slice(0, initBefore?.length ?? 0)];
        for (const [at, had] of before.entries()) {
          const { env, volumeMounts, ...fields } = after[at] ?? had;
          const { env: envBefore, volumeMounts: mountsBefore, ...fieldsBefore } = had;
          expect(fields).toEqual(fieldsBefore);
          expectKept(mountsBefore, volumeMounts);
          expect(isInFront(env ?? [], envBefore ?? [])).toBe(true);
        }
      });
    });

    it("no value is in the patch with delivery SecretRef, plain or in base64, and what is referred to is written", async () => {
      const inBase64 = ["canary-value-", "\xffcanary-value-"].map((text) =>
        Buffer.from(text, "latin1").toString("base64").slice(0, 16),
      );
      await checkChanged(
        runs,
        ({ mutation }) => {
          for (const trace of [CANARY, ...inBase64]) expect(mutation.patch.json).not.toContain(trace);
          const referred = JSON.stringify(mutation.pod).match(/flyte-secrets-[0-9a-f]{32}/g) ?? [];
          expect(mutation.secrets.map(({ name }) => name)).toEqual(expect.arrayContaining(referred));
        },
        [secretRef],
      );
    });
  });
}
