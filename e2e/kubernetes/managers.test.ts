// Every secret manager and every way to ask for a secret, on pods that a real API server sends to the webhook and
// stores.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { INJECT_LABEL, MountRequirement, systemClock, toRequestAnnotations } from "@flyte-secrets/core";
import { openKubernetesStore } from "@flyte-secrets/store";
import { generic } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { connect, log } from "./store-fixture.ts";
import { startRegisteredWebhook } from "./webhook-process.ts";

/** Where the managed Secrets are; trusted by default. */
const NAMESPACE = "flyte";
const ID = { org: "flyte", domain: "development", project: "shop", name: "key" };
const MANAGERS = ["Global", "Embedded", "K8s", "AWS", "GCP", "Azure", "Vault"] as const;
const WAYS = ["ANY", "ENV_VAR", "FILE"] as const;

interface StoredPod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly {
      readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[];
      readonly volumeMounts?: readonly { readonly mountPath: string }[];
    }[];
    readonly initContainers?: readonly { readonly name: string }[];
  };
}

function podOf(name: string, way: (typeof WAYS)[number], group: string, namespace = NAMESPACE) {
  const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "development" };
  const mountRequirement = MountRequirement[way];
  const asked = { group, groupVersion: group && "7", key: "key", mountRequirement, envVar: "" };
  const metadata = { name, namespace, labels, annotations: toRequestAnnotations([asked]) };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "train" }] } };
}

/** By what a task finds its secret. */
function tracesIn({ metadata, spec }: StoredPod): string[] {
  const [container] = spec.containers;
  return [
    ...(container?.env ?? []).map(({ name, value, valueFrom }) => `${name}=${value ?? keyIn(valueFrom)}`),
    ...(container?.volumeMounts ?? []).map(({ mountPath }) => `mount ${mountPath}`),
    ...(spec.initContainers ?? []).map(({ name }) => `init container ${name}`),
    ...Object.keys(metadata.annotations)
      .filter((name) => name.startsWith("vault.hashicorp.com/"))
      .map((name) => name.replace(/[0-9a-f]{8}-[0-9a-f-]{27}$/, "UUID"))
      .sort(),
  ];
}

describeWith(requireKubernetes(), "pods on a real API server", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    const place = { namespace: NAMESPACE, imagePullNamespace: NAMESPACE, clusterName: "one" };
    const client = connect(cluster.adminKubeconfig);
    const store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
    await store.create(ID, generic("value"));
    await store.close();
  });
  afterAll(() => cluster?.close());

  async function start(name: string, settings: Readonly<Record<string, string>>): Promise<void> {
    const webhook = await startRegisteredWebhook(cluster.adminKubeconfig, { name, ...settings });
    onTestFinished(async () => {
      await webhook.stop();
      await cluster.kubectl(["delete", "mutatingwebhookconfiguration", name, "--ignore-not-found"]);
    });
  }

  /** What a pod that is created has of its secret, or why it is refused. */
  function create(pod: object, ...flags: string[]): Promise<string[] | string> {
    const args = ["create", "-o", "json", ...flags, "-f", "-"];
    return cluster.kubectl(args, JSON.stringify(pod)).then((text) => tracesIn(JSON.parse(text)), reasonOf);
  }

  /** The API server hears of a registration a moment later. */
  async function untilAsked(pod: object): Promise<void> {
    await vi.waitFor(async () => expect(await create(pod, "--dry-run=server")).not.toEqual([]), 20_000);
  }

  test.each(
    MANAGERS,
  )("manager %s gives a secret in every way that it can, and says of the others why not", async (manager) => {
    const name = manager.toLowerCase();
    const directory = join(cluster.directory, "global");
    mkdirSync(join(directory, "group"), { recursive: true });
    if (manager === "Global") writeFileSync(join(directory, "group/key"), "value");
    else rmSync(join(directory, "group/key"), { force: true });
    await start(name, { "webhook.secretManagerType": manager, "secrets.secrets-prefix": directory });
    const group = manager === "Embedded" || manager === "K8s" ? "" : "group";
    const pod = (way: (typeof WAYS)[number]) => podOf(`${name}-${way.toLowerCase().replace("_", "-")}`, way, group);
    await untilAsked(pod("FILE"));
    const outcomes = {
      ANY: await create(pod("ANY")),
      ENV_VAR: await create(pod("ENV_VAR")),
      FILE: await create(pod("FILE")),
    };
    expect(outcomes).toEqual(EXPECTED[manager]);
  });

  test("a trusted creator may claim a scope from any namespace, another may not", async () => {
    await cluster.kubectl(["create", "namespace", "elsewhere"]);
    await start("trusting", { "webhook.scopeBinding.trustedCreators": "executor" });
    const pod = podOf("far", "ENV_VAR", "", "elsewhere");
    await untilAsked(pod);
    expect(await create(pod)).toContain(
      'a pod in namespace "elsewhere" may not claim project "shop" and domain "development"',
    );
    expect(await create(pod, "--as=executor", "--as-group=system:masters")).toEqual(EXPECTED.Embedded.ENV_VAR);
  });
});

function reasonOf(error: unknown): string {
  const [, reasons] = /none of the secret managers injected secret \[[^\]]*\]: (.*)/.exec(String(error)) ?? [];
  return reasons?.split("; ").at(-1) ?? String(error);
}

/** The data key that a variable refers to. */
function keyIn(valueFrom: object | undefined): string | undefined {
  return /"key":"([^"]*)"/.exec(JSON.stringify(valueFrom) ?? "")?.[1];
}

const PREFIX = "FLYTE_SECRETS_ENV_PREFIX=_UNION_";
const FILES = ["FLYTE_SECRETS_FILE_PREFIX=undefined", "FLYTE_SECRETS_DEFAULT_DIR=/etc/flyte/secrets"];
const IN_STORE = "u__org__flyte__domain__development__project__shop__key__key";
/** MD5 of the key stands for the group. */
const GROUP = "3c6e0b8a9c15224a8228b9a98ca1531d";
const agent = [
  "agent-inject",
  ...["file", "secret", "template"].map((what) => `agent-inject-${what}-UUID`),
  "agent-pre-populate-only",
  "error-on-missing-key-UUID",
  "role",
  "secret-volume-path",
];
const inVault = [...FILES, ...agent.map((name) => `vault.hashicorp.com/${name}`)];
const pulled = (cloud: string) => [...FILES, "mount /etc/flyte/secrets", `init container ${cloud}-pull-secret-0`];
const noVariable = (manager: string) => `${manager}: unrecognized mount requirement [ENV_VAR] for secret [key]`;

const EXPECTED = {
  Global: {
    ANY: ["_UNION_GROUP_KEY=global__group__key", PREFIX],
    ENV_VAR: ["_UNION_GROUP_KEY=global__group__key", PREFIX],
    FILE: "Global: global secrets can only be injected as environment variables",
  },
  Embedded: {
    ANY: [`_UNION_KEY=${IN_STORE}`, PREFIX],
    ENV_VAR: [`_UNION_KEY=${IN_STORE}`, PREFIX],
    FILE: [...FILES, "mount /etc/flyte/secrets"],
  },
  K8s: {
    ANY: [...FILES, `mount /etc/flyte/secrets/${GROUP}`],
    ENV_VAR: [PREFIX, `_UNION_${GROUP.toUpperCase()}_KEY=${IN_STORE}`],
    FILE: [...FILES, `mount /etc/flyte/secrets/${GROUP}`],
  },
  AWS: { ANY: pulled("aws"), ENV_VAR: noVariable("AWS"), FILE: pulled("aws") },
  GCP: { ANY: pulled("gcp"), ENV_VAR: noVariable("GCP"), FILE: pulled("gcp") },
  Azure: { ANY: pulled("azure"), ENV_VAR: noVariable("Azure"), FILE: pulled("azure") },
  Vault: {
    ANY: inVault,
    ENV_VAR: "Vault: Env_Var is not a supported mount requirement for Vault Secret Manager",
    FILE: inVault,
  },
};
