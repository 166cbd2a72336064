import { readFileSync } from "node:fs";
import {
  lookupIds,
  type ScopeLookup,
  type SecretRequest,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createInlineDelivery } from "./delivery/inline.ts";
import { createSecretRefDelivery } from "./delivery/secret-ref.ts";
import { createAwsInjector } from "./managers/aws.ts";
import { createAzureInjector } from "./managers/azure.ts";
import { createEmbeddedInjector } from "./managers/embedded.ts";
import { createGcpInjector } from "./managers/gcp.ts";
import { createGlobalInjector } from "./managers/global.ts";
import type { Injector } from "./managers/injector.ts";
import { createK8sInjector } from "./managers/k8s.ts";
import { createVaultInjector } from "./managers/vault.ts";
import { detectMissedInjection } from "./missed-injection.ts";
import { createMutator } from "./mutator.ts";
import { parsePod } from "./pod/parse-pod.ts";
import type { Pod } from "./pod/pod.ts";

const VECTORS = new URL("../../testkit/testdata/vectors/pods.jsonl", import.meta.url);
const flytesPods = readFileSync(VECTORS, "utf8")
  .trimEnd()
  .split("\n")
  .map((line): { pod: unknown; requests: unknown[]; expect: { pod?: unknown } } => JSON.parse(line));

const LABELS = { "inject-flyte-secrets": "true", organization: "flyte", domain: "dev", project: "p1" };

function ask(fields: Partial<SecretRequest>): SecretRequest {
  return { group: "", groupVersion: "", key: "", mountRequirement: 0, envVar: "", ...fields };
}

function podOf(requests: readonly Partial<SecretRequest>[], labels: Record<string, string> = LABELS): Pod {
  return {
    metadata: { namespace: "p1-dev", labels, annotations: toRequestAnnotations(requests.map(ask)) },
    spec: { containers: [{ name: "main", env: [{ name: "PATH", value: "/bin" }] }, { name: "other" }] },
  };
}

const lookup: ScopeLookup = {
  async find(scope, key) {
    const [narrowest] = lookupIds(scope, key);
    if (!narrowest) throw new Error("no id");
    return { found: true, ...narrowest, value: SecretValue.fromText("value"), attempts: [] };
  },
};
const global = createGlobalInjector({ readVariable: () => "value", readFile: async () => undefined });
const secretRef = createSecretRefDelivery({ writer: { async write() {} } });
const inline = createInlineDelivery();

describe("a pod that was injected", () => {
  it.each<[string, Injector, Partial<SecretRequest>]>([
    ["Global", global, { group: "Db", key: "my-key" }],
    ["Embedded, a variable", createEmbeddedInjector({ lookup }), { key: "my-key" }],
    ["Embedded, a variable of its own name", createEmbeddedInjector({ lookup }), { key: "k", envVar: "lower" }],
    ["Embedded, a file", createEmbeddedInjector({ lookup }), { key: "My.Key", mountRequirement: 2 }],
    ["K8s, a file", createK8sInjector({ lookup, copies: true }), { group: "Db", key: "Key", mountRequirement: 2 }],
    ["K8s, a variable", createK8sInjector({ lookup, copies: true }), { group: "Db", key: "Key", mountRequirement: 1 }],
    ["AWS", createAwsInjector(), { group: "arn:aws:secretsmanager:r:1:secret:Db:", key: ":Key" }],
    ["GCP", createGcpInjector(), { group: "projects/p/secrets/S", groupVersion: "Latest" }],
    ["Azure", createAzureInjector(), { group: "https://v/secrets/Name/" }],
    ["Azure, a version", createAzureInjector(), { group: "https://v/secrets/Name", groupVersion: "V1" }],
    ["Vault", createVaultInjector(), { group: "secret/data/Db", key: "Key" }],
  ])("by %s is told from one that was not", async (_, manager, request) => {
    for (const delivery of [secretRef, inline]) {
      const pod = podOf([request]);
      const naming = { secretEnvVarPrefix: "_UNION_", envVarNaming: "raw" } as const;
      const mutation = await createMutator({ managers: [manager], ...naming, delivery }).mutate(pod);
      if (!mutation.changed) throw new Error("not mutated");
      expect(detectMissedInjection(pod)).toEqual({ problem: "not injected", requests: [ask(request)] });
      expect(detectMissedInjection(mutation.pod)).toBeUndefined();
    }
  });

  it("by K8s without a group, whichever way the value comes, is told from one that was not", async () => {
    const request = ask({ key: "my-key", mountRequirement: 2 });
    for (const mountRequirement of [1, 2] as const) {
      const pod = podOf([{ ...request, mountRequirement }]);
      const managers = [createK8sInjector({ lookup, copies: true })];
      const options = { managers, secretEnvVarPrefix: "X_", envVarNaming: "posix", delivery: secretRef } as const;
      const mutation = await createMutator(options).mutate(pod);
      if (!mutation.changed) throw new Error("not mutated");
      expect(detectMissedInjection(mutation.pod)).toBeUndefined();
    }
  });

  it("by Flyte's own webhook lacks nothing", () => {
    // The vectors leave out the scripts, which say what the init containers of GCP and Azure write.
    const whole = flytesPods.filter((one) => !JSON.stringify(one.expect.pod ?? "<script>").includes("<script>"));
    const injected = whole.map((one) => parsePod(one.expect.pod));
    expect(injected.length).toBeGreaterThan(100);
    expect(injected.map(detectMissedInjection)).toEqual(injected.map(() => undefined));
  });

  it("is told from the same pod before Flyte's webhook", () => {
    // Apart from those that look injected by variables of their own.
    const before = flytesPods.filter(({ pod }) => !JSON.stringify(pod).includes("FLYTE_SECRETS_ENV_PREFIX"));
    const found = before.map(({ pod }) => detectMissedInjection(parsePod(pod))?.problem);
    expect(found).toEqual(before.map(({ requests }) => (requests.length > 0 ? "not injected" : "no requests")));
  });
});

describe("a pod that lacks its secrets", () => {
  const embedded = createMutator({
    managers: [createEmbeddedInjector({ lookup })],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: "raw",
    delivery: secretRef,
  });

  it("for want of the label is told so", () => {
    const { "inject-flyte-secrets": _, ...labels } = LABELS;
    const requests = [ask({ key: "a" })];
    expect(detectMissedInjection(podOf(requests, labels))).toEqual({ problem: "no label", requests });
    const off = { ...labels, "inject-flyte-secrets": "false" };
    expect(detectMissedInjection(podOf(requests, off))).toEqual({ problem: "no label", requests });
  });

  it("for want of annotations is told so, and one that wants none is left alone", () => {
    expect(detectMissedInjection(podOf([]))).toEqual({ problem: "no requests" });
    expect(detectMissedInjection(podOf([], {}))).toBeUndefined();
    expect(detectMissedInjection({ spec: { containers: [] } })).toBeUndefined();
  });

  it("is told with an annotation that nobody can read", () => {
    const pod = { ...podOf([]), metadata: { labels: LABELS, annotations: { "flyte.secrets/s0": "!" } } };
    expect(detectMissedInjection(pod)).toEqual({
      problem: "bad annotation",
      reason:
        "failed to unmarshal secrets from pod annotations: error unmarshaling secret [flyte.secrets/s0]. Error: illegal base32 data",
    });
  });

  it("is told with the requests that came after the webhook, and only those", async () => {
    const mutation = await embedded.mutate(podOf([{ key: "a" }, { key: "b", mountRequirement: 2 }]));
    if (!mutation.changed) throw new Error("not mutated");
    const late = [ask({ key: "c" }), ask({ key: "d", mountRequirement: 2 })];
    const annotations = toRequestAnnotations([ask({ key: "a" }), ask({ key: "b", mountRequirement: 2 }), ...late]);
    const pod = { ...mutation.pod, metadata: { ...mutation.pod.metadata, annotations } };
    expect(detectMissedInjection(pod)).toEqual({ problem: "not injected", requests: late });
  });

  it("is told also when it has a variable of that name from elsewhere", () => {
    const pod = podOf([{ key: "k", envVar: "PATH", mountRequirement: 1 }]);
    expect(detectMissedInjection(pod)).toMatchObject({ problem: "not injected" });
  });

  it("is not told when a container without secrets was added later", async () => {
    const mutation = await embedded.mutate(podOf([{ key: "a" }]));
    if (!mutation.changed) throw new Error("not mutated");
    const { spec } = mutation.pod;
    const pod = { ...mutation.pod, spec: { ...spec, containers: [{ name: "proxy" }, ...spec.containers] } };
    expect(detectMissedInjection(pod)).toBeUndefined();
  });

  it("is found out about by what is asked for: mounts times items may be more files than there is memory", () => {
    const many = <T>(make: (at: number) => T) => Array.from({ length: 10_000 }, (_, at) => make(at));
    const volumes = [{ name: "v", secret: { items: many((at) => ({ key: "k", path: `g/k${at}` })) } }];
    const volumeMounts = many((at) => ({ name: "v", mountPath: `/etc/flyte/secrets/m${at}` }));
    const env = [{ name: "FLYTE_SECRETS_DEFAULT_DIR", value: "/etc/flyte/secrets" }];
    const problemWith = (group: string) => {
      const pod = podOf([{ group, key: "k7", mountRequirement: 2 }]);
      const spec = { containers: [{ name: "main", env, volumeMounts }], volumes };
      return detectMissedInjection({ ...pod, spec })?.problem;
    };
    expect(problemWith("m9999/g")).toBeUndefined();
    expect(problemWith("m10000/g")).toBe("not injected");
  });
});
