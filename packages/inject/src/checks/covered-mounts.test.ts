import { SecretValue, toRequestAnnotations } from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createInlineDelivery } from "../delivery/inline.ts";
import { createSecretRefDelivery } from "../delivery/secret-ref.ts";
import { createAwsInjector } from "../managers/aws.ts";
import { createEmbeddedInjector } from "../managers/embedded.ts";
import type { Injector } from "../managers/injector.ts";
import { createK8sInjector } from "../managers/k8s.ts";
import { createVaultInjector } from "../managers/vault.ts";
import { createMutator } from "../mutator.ts";
import { CONTAINERS_ANNOTATION } from "../pod/named-containers.ts";
import { parsePod } from "../pod/parse-pod.ts";

const DIRECTORY = "/etc/flyte/secrets";
const lookup = {
  async find(scope: { readonly org: string; readonly project: string; readonly domain: string }, key: string) {
    const value = SecretValue.fromText(`value of ${key}`);
    return { found: true, level: "global", id: { ...scope, name: key }, value, attempts: [] } as const;
  },
  async findInGroup() {
    return { found: false, attempts: [] } as never;
  },
};
const embedded = createEmbeddedInjector({ lookup });
const k8s = createK8sInjector({ lookup, copies: false });
const sidecar = {
  sidecarImage: "tool",
  resources: {},
  initContainers: { first: false, security: "none", runAsUser: 0 },
};
const aws = createAwsInjector(sidecar as never);

type Ask = { readonly key: string; readonly group?: string; readonly mountRequirement?: 0 | 1 | 2 };
interface Case {
  readonly ask: readonly Ask[];
  readonly managers?: readonly Injector[];
  /** Of the container main; and what else there is. */
  readonly mounts?: readonly object[];
  readonly containers?: readonly object[];
  readonly named?: string;
  readonly delivery?: "Inline" | "SecretRef";
  readonly max?: number;
}

async function warningsOf({ ask, managers = [embedded], mounts = [], containers = [], named, ...rest }: Case) {
  const inline = rest.delivery === "Inline";
  const delivery = inline ? createInlineDelivery() : createSecretRefDelivery({ writer: { async write() {} } });
  const requests = ask.map(
    (one) => ({ group: "", groupVersion: "", envVar: "", mountRequirement: 2, ...one }) as const,
  );
  const annotations = { ...toRequestAnnotations(requests), ...(named && { [CONTAINERS_ANNOTATION]: named }) };
  const labels = { organization: "flyte", project: "p", domain: "d" };
  const volumes = [{ name: "v", emptyDir: {} }];
  const spec = { containers: [{ name: "main", volumeMounts: mounts }, ...containers], volumes };
  const limits =
    rest.max === undefined
      ? {}
      : { limits: { ...(await import("@flyte-secrets/core")).DEFAULT_POD_LIMITS, warnings: rest.max } };
  const mutator = createMutator({ managers, secretEnvVarPrefix: "_UNION_", envVarNaming: "raw", delivery, ...limits });
  const mutation = await mutator.mutate(parsePod({ metadata: { labels, annotations }, spec }));
  if (!mutation.changed) throw new Error("it lacks secrets");
  const again = await mutator.mutate(mutation.pod);
  expect(again.changed).toBe(false);
  return mutation.warnings;
}

const over = (path: string, by: string, container = "main") =>
  `container "${container}" mounts volume "v" at ${path}, over the file of secret ${by}: it reads something else there, or can't start; mount it elsewhere`;
const among = (path: string) =>
  `container "main" mounts volume "v" at ${path}, among the files of secrets, which are mounted read-only: it may not start; mount it elsewhere`;
const mount = (mountPath: string, subPath?: string) => ({ name: "v", mountPath, ...(subPath && { subPath }) });
const K = [{ key: "k" }];

describe("a mount of the pod's own among the files of secrets is warned of", () => {
  it.each<[string, Case, string[]]>([
    [
      "a directory over a file",
      { ask: K, mounts: [mount(`${DIRECTORY}/k`)] },
      [over(`${DIRECTORY}/k`, "[k] of Embedded")],
    ],
    [
      "a subPath over a file",
      { ask: K, mounts: [mount(`${DIRECTORY}/k`, "x")] },
      [over(`${DIRECTORY}/k`, "[k] of Embedded")],
    ],
    [
      "any spelling of the path",
      { ask: K, mounts: [mount("/etc//flyte/./secrets/x/../k/")] },
      [over(`${DIRECTORY}/k`, "[k] of Embedded")],
    ],
    [
      "with values inline",
      { ask: K, mounts: [mount(`${DIRECTORY}/k`)], delivery: "Inline" },
      [over(`${DIRECTORY}/k`, "[k] of Embedded")],
    ],
    [
      "a directory that has the file",
      { ask: [{ key: "a/b/k" }], mounts: [mount(`${DIRECTORY}/a`)] },
      [over(`${DIRECTORY}/a`, "[a/b/k] of Embedded")],
    ],
    [
      "a file of a group",
      { ask: [{ group: "db", key: "k" }], managers: [k8s], mounts: [mount(`${DIRECTORY}/db/k`)] },
      [over(`${DIRECTORY}/db/k`, "[db/k] of K8s")],
    ],
    [
      "a file that an init container writes",
      { ask: [{ group: "db", key: "k" }], managers: [aws], mounts: [mount(`${DIRECTORY}/db`)] },
      [over(`${DIRECTORY}/db`, "[db/k] of AWS")],
    ],
    [
      "a file that Vault's agent writes",
      {
        ask: [{ group: "kv/Db", key: "K" }],
        managers: [createVaultInjector()],
        mounts: [mount(`${DIRECTORY}/kv/Db/K`)],
      },
      [over(`${DIRECTORY}/kv/Db/K`, "[kv/Db/K] of Vault")],
    ],
    ["a path beside the files", { ask: K, mounts: [mount(`${DIRECTORY}/cache`)] }, [among(`${DIRECTORY}/cache`)]],
    [
      "in an init container too",
      { ask: K, containers: [{ name: "other", volumeMounts: [mount(`${DIRECTORY}/k`)] }] },
      [over(`${DIRECTORY}/k`, "[k] of Embedded", "other")],
    ],
    [
      "more than may be said",
      { ask: K, mounts: ["k", "x", "y"].map((name) => mount(`${DIRECTORY}/${name}`)), max: 2 },
      [over(`${DIRECTORY}/k`, "[k] of Embedded"), "2 more warnings are left out (webhook.limits.warnings)"],
    ],
    ["none around the files", { ask: K, mounts: [mount("/etc/flyte"), mount("/etc/flyte/secrets-of-mine")] }, []],
    [
      "none of a pod with variables alone",
      { ask: [{ key: "k", mountRequirement: 1 }], mounts: [mount(`${DIRECTORY}/k`)] },
      [],
    ],
    [
      "none in a container that gets no secrets",
      { ask: K, named: "main", containers: [{ name: "other", volumeMounts: [mount(`${DIRECTORY}/k`)] }] },
      [],
    ],
  ])("%s", async (_, one, expected) => {
    expect(await warningsOf(one)).toEqual(expected);
  });
});

describe("files that differ only by case are warned of", () => {
  const alike = (one: string, other: string, paths: readonly [string, string]) =>
    `secrets ${one} and ${other} are the files ${DIRECTORY}/${paths[0]} and ${DIRECTORY}/${paths[1]}, which differ only by case: flytekit 1 reads the one in lower case for both; rename one`;
  it.each<[string, Case, string[]]>([
    [
      "two names",
      { ask: [{ key: "token" }, { key: "TOKEN" }] },
      [alike("[token] of Embedded", "[TOKEN] of Embedded", ["token", "TOKEN"])],
    ],
    [
      "neither in lower case",
      { ask: [{ key: "Token" }, { key: "TOKEN" }] },
      [alike("[Token] of Embedded", "[TOKEN] of Embedded", ["Token", "TOKEN"])],
    ],
    [
      "Vault's",
      {
        ask: [
          { group: "kv/Db", key: "k" },
          { group: "kv/db", key: "k" },
        ],
        managers: [createVaultInjector()],
      },
      [alike("[kv/Db/k] of Vault", "[kv/db/k] of Vault", ["kv/Db/k", "kv/db/k"])],
    ],
    ["not the same file twice", { ask: [{ key: "token" }, { key: "token" }] }, []],
    ["not other names", { ask: [{ key: "token" }, { key: "TOKENS" }] }, []],
  ])("%s", async (_, one, expected) => {
    expect(await warningsOf(one)).toEqual(expected);
  });
});
