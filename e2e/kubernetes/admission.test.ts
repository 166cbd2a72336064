import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  encodeSecretId,
  INJECT_LABEL,
  kubernetesSecretName,
  MountRequirement,
  type SecretRequest,
  systemClock,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { sweepSecrets, watchDeliveredSecrets } from "@flyte-secrets/webhook";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { connect, log } from "./store-fixture.ts";
import { type RegisteredWebhook, startRegisteredWebhook } from "./webhook-process.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const STORE = "flyte";
const NAMESPACE = "shop-development";
const COPIES = "shop-staging";
/** Of a webhook that has rights in the first only, and whose settings list the first two. */
const NARROW = ["narrow", "closed", "unlisted"] as const;
const DELIVERED_LABEL = "app.flyte.org/managed-by=flyte-secrets-webhook";
const HOUR_MS = 3_600_000;
const canary = `canary-${randomBytes(12).toString("hex")}`;
const ENCODED = Buffer.from(canary).toString("base64");
const API_KEY = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const forms = [canary, ENCODED.replace(/=+$/, ""), Buffer.from(canary).toString("hex")];

function ask(key: string, rest: Partial<SecretRequest> = {}): SecretRequest {
  return { group: "", groupVersion: "", key, mountRequirement: MountRequirement.ENV_VAR, envVar: "", ...rest };
}

interface PodPlace {
  readonly name: string;
  readonly namespace?: string;
  readonly domain?: string;
  readonly ownerReferences?: readonly object[];
}

function podOf({ name, namespace = NAMESPACE, domain = "development", ...rest }: PodPlace, ...asked: SecretRequest[]) {
  const labels = { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain };
  const metadata = { name, namespace, labels, annotations: toRequestAnnotations(asked), ...rest };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "main", image: "train" }] } };
}

interface StoredPod {
  readonly spec: {
    readonly containers: readonly { readonly env?: readonly object[]; readonly volumeMounts?: readonly object[] }[];
    readonly volumes?: readonly object[];
    readonly initContainers?: readonly object[];
  };
}

describeWith(requireKubernetes(), "a pod on its way through a real API server", () => {
  let cluster: Cluster;
  let serve: ServeProcess;
  let webhook: RegisteredWebhook;
  let kubeconfig: string;

  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of [STORE, NAMESPACE, COPIES, "other-development", ...NARROW]) {
      await cluster.kubectl(["create", "namespace", namespace]);
    }
    // What docs/webhook.md says, in all namespaces.
    kubeconfig = await cluster.createAccount({
      namespace: STORE,
      name: "webhook",
      rules: [
        { apiGroups: [""], resources: ["secrets"], verbs: ["create", "get", "list", "watch", "patch", "delete"] },
        { apiGroups: [""], resources: ["secrets"], resourceNames: ["embedded", "copying"], verbs: ["update"] },
        { apiGroups: [""], resources: ["pods"], verbs: ["list"] },
        {
          apiGroups: ["admissionregistration.k8s.io"],
          resources: ["mutatingwebhookconfigurations"],
          verbs: ["create", "get", "list", "patch", "update", "watch"],
        },
      ],
    });
    const directory = join(cluster.directory, "serve");
    serve = await startServe({
      directory,
      env: { SECRET_STORE_TYPE: "Kubernetes", SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig },
    });
    await keep("api-key", canary);
    webhook = await startRegisteredWebhook(kubeconfig, {
      name: "embedded",
      // So long that its sweeper asks for nothing meanwhile.
      "webhook.writtenSecrets.unnamedFor": "1h",
      "webhook.namespaceSelector": `{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"NotIn","values":${JSON.stringify([COPIES, ...NARROW])}}]}`,
    });
    await untilAdmitted(podOf({ name: "probe" }, ask("api-key")));
  });
  afterAll(async () => {
    await webhook?.stop();
    await serve?.close();
    await cluster?.close();
  });

  /** By the service, as a user does. */
  async function keep(name: string, value: string, verb: "create" | "update" = "create"): Promise<void> {
    const args = [verb, "secret", name, "-p", "shop", "-d", "development", "--from-file", "-"];
    const options = { env: serve.env, cwd: serve.directory, input: value };
    expect(await runProgram(process.execPath, [COMMAND, ...args], options)).toMatchObject({ exitCode: 0 });
  }

  async function remove(name: string): Promise<void> {
    const args = ["delete", "secret", name, "-p", "shop", "-d", "development"];
    const options = { env: serve.env, cwd: serve.directory };
    expect(await runProgram(process.execPath, [COMMAND, ...args], options)).toMatchObject({ exitCode: 0 });
  }

  /** The API server hears of a registration a moment later. */
  async function untilAdmitted(pod: object): Promise<void> {
    const isMutated = async () =>
      JSON.stringify(await create(pod, "--dry-run=server")).includes("FLYTE_SECRETS_ENV_PREFIX");
    await vi.waitUntil(isMutated, { timeout: 20_000, interval: 100 });
  }

  async function create(pod: object, ...flags: string[]): Promise<StoredPod> {
    return JSON.parse(await cluster.kubectl(["create", "-o", "json", ...flags, "-f", "-"], JSON.stringify(pod)));
  }

  async function deliveredIn(namespace: string): Promise<KubeSecret[]> {
    const found = await cluster.kubectl(["get", "secrets", "-n", namespace, "-l", DELIVERED_LABEL, "-o", "json"]);
    return JSON.parse(found).items;
  }

  /** What is in the Secret that the pod refers to, as texts. */
  async function valuesFor(pod: StoredPod): Promise<string[]> {
    const [name] = /flyte-secrets-[0-9a-f]{32}/.exec(JSON.stringify(pod.spec)) ?? [];
    const secret = (await deliveredIn(NAMESPACE)).find(({ metadata }) => metadata.name === name);
    return Object.values(secret?.data ?? {}).map((value) => Buffer.from(value, "base64").toString());
  }

  const removeAll = async (namespace: string) => {
    await cluster.kubectl(["delete", "pods", "--all", "-n", namespace, "--force", "--grace-period=0"]);
    await cluster.kubectl(["delete", "secrets", "-l", DELIVERED_LABEL, "-n", namespace]);
  };

  test("it is stored with a reference to a Secret that exists and has the value", async () => {
    const pod = await create(podOf({ name: "variable" }, ask("api-key")));
    const [secret] = await deliveredIn(NAMESPACE);
    const name = secret?.metadata.name;
    expect(name).toMatch(/^flyte-secrets-[0-9a-f]{32}$/);
    expect(pod.spec.containers[0]?.env).toEqual([
      { name: "_UNION_API-KEY", valueFrom: { secretKeyRef: { name, key: encodeSecretId(API_KEY) } } },
      { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
    ]);
    expect(secret).toMatchObject({ immutable: true, type: "Opaque", data: { [encodeSecretId(API_KEY)]: ENCODED } });
  });

  test("it gets a file from the same Secret, mounted, without an init container", async () => {
    const pod = await create(podOf({ name: "file" }, ask("api-key", { mountRequirement: MountRequirement.FILE })));
    const [secret, ...more] = await deliveredIn(NAMESPACE);
    expect(more).toEqual([]);
    const [key] = Object.keys(secret?.data ?? {});
    expect(pod.spec.initContainers).toBeUndefined();
    expect(pod.spec.volumes).toEqual([
      {
        name: "embedded-secret-vol",
        secret: { secretName: secret?.metadata.name, items: [{ key, path: "api-key" }], defaultMode: 0o444 },
      },
    ]);
  });

  test("a dry run is answered like any other, and writes nothing", async () => {
    await removeAll(NAMESPACE);
    const dry = await create(podOf({ name: "dry" }, ask("api-key")), "--dry-run=server");
    expect(await deliveredIn(NAMESPACE)).toEqual([]);
    expect((await create(podOf({ name: "dry" }, ask("api-key")))).spec).toEqual(dry.spec);
    expect(await deliveredIn(NAMESPACE)).toHaveLength(1);
  });

  test("a Secret that somebody deleted is written again for the next pod", async () => {
    await removeAll(NAMESPACE);
    await create(podOf({ name: "again-1" }, ask("api-key")));
    await removeAll(NAMESPACE);
    expect(await valuesFor(await create(podOf({ name: "again-2" }, ask("api-key"))))).toEqual([canary]);
  });

  test("its owner owns the Secret, until a pod of another owner shares it", async () => {
    await removeAll(NAMESPACE);
    const ownerOf = async (name: string) => {
      const made = await cluster.kubectl(["create", "configmap", name, "-n", NAMESPACE, "-o", "json"]);
      return { apiVersion: "v1", kind: "ConfigMap", name, uid: JSON.parse(made).metadata.uid };
    };
    const [one, other] = [await ownerOf("action-one"), await ownerOf("action-two")];
    const controlled = { ...one, controller: true, blockOwnerDeletion: true };
    await create(podOf({ name: "owned-1", ownerReferences: [controlled] }, ask("api-key")));
    expect((await deliveredIn(NAMESPACE))[0]?.metadata.ownerReferences).toEqual([one]);
    await create(podOf({ name: "owned-2", ownerReferences: [one] }, ask("api-key")));
    expect((await deliveredIn(NAMESPACE))[0]?.metadata.ownerReferences).toEqual([one]);
    await create(podOf({ name: "owned-3", ownerReferences: [other] }, ask("api-key")));
    expect((await deliveredIn(NAMESPACE)).map(({ metadata }) => metadata.ownerReferences)).toEqual([undefined]);
  });

  test("in the steady state its admission asks the API server for nothing", async () => {
    const create20 = async (round: string) => {
      for (let pod = 0; pod < 20; pod++) await create(podOf({ name: `steady-${round}-${pod}` }, ask("api-key")));
    };
    await create20("first");
    const before = callsOfWebhook();
    expect(before).toContainEqual(expect.stringMatching(/^create .*\/namespaces\/shop-development\/secrets$/));
    await create20("second");
    expect(callsOfWebhook().slice(before.length)).toEqual([]);
  });

  /** What the audit log has of the webhook's own calls, but for watches that end. */
  const callsOfWebhook = () =>
    cluster
      .audited("flyte:webhook")
      .filter(({ verb }) => verb !== "watch")
      .map(({ verb, requestURI }) => `${verb} ${requestURI}`);

  test("in a namespace of another project it is refused, and the user of kubectl reads why", async () => {
    const pod = podOf({ name: "foreign", namespace: "other-development" }, ask("api-key"));
    await expect(create(pod)).rejects.toThrow(
      /admission webhook "flyte-pod-webhook.flyte.org" denied the request: .*other-development.*webhook\.scopeBinding/,
    );
    expect(await deliveredIn("other-development")).toEqual([]);
  });

  test("a secret that is nowhere is named to the user of kubectl, with every place that was tried", async () => {
    await expect(create(podOf({ name: "absent" }, ask("no-such")))).rejects.toThrow(
      /denied the request: none of the secret managers injected secret \[no-such\]: .*__domain__development__project__shop__key__no-such \(K8s\), .*__domain____project____key__no-such \(K8s\)/,
    );
  });

  test("where a quota leaves no room for its Secret, the pod is refused as long as it does", async () => {
    await removeAll(NAMESPACE);
    const hard = { "count/secrets": "0" };
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "full", namespace: NAMESPACE } };
    await cluster.kubectl(["create", "-f", "-"], JSON.stringify({ ...quota, spec: { hard } }));
    // As the controller does that isn't here.
    const status = ["--subresource=status", "--type=merge", "-p", JSON.stringify({ status: { hard, used: hard } })];
    await cluster.kubectl(["patch", "resourcequota", "full", "-n", NAMESPACE, ...status]);
    const pod = podOf({ name: "limited" }, ask("api-key"));
    await expect(create(pod)).rejects.toThrow(
      /create secrets .* in namespace shop-development: a ResourceQuota of namespace shop-development is used up/,
    );
    await cluster.kubectl(["delete", "resourcequota", "full", "-n", NAMESPACE]);
    await vi.waitUntil(() => create(pod).catch(() => undefined), { timeout: 10_000, interval: 100 });
    expect(await deliveredIn(NAMESPACE)).toHaveLength(1);
  });

  test("the admission after an update has the new value, in a Secret of its own", async () => {
    await keep("rotated", "first value");
    const first = await create(podOf({ name: "rotated-1" }, ask("rotated")));
    await keep("rotated", "second value", "update");
    const second = await create(podOf({ name: "rotated-2" }, ask("rotated")));
    expect([await valuesFor(first), await valuesFor(second)]).toEqual([["first value"], ["second value"]]);
  });

  /** All that etcd holds, but for the Secrets. */
  async function storedInEtcd(): Promise<string> {
    const everything = JSON.stringify({ key: "AA==", range_end: "AA==" });
    const answer = await fetch(`${cluster.etcdUrl}/v3/kv/range`, { method: "POST", body: everything });
    const { kvs }: { kvs: { key: string; value: string }[] } = JSON.parse(await answer.text());
    const entries = kvs.map(({ key, value }) =>
      [key, value].map((text) => Buffer.from(text, "base64").toString("latin1")),
    );
    return entries.filter(([key]) => !key?.startsWith("/registry/secrets/")).join();
  }

  test("no value is in the pod, etcd, the audit log or what the webhook printed", async () => {
    await create(
      podOf({ name: "searched" }, ask("api-key"), ask("api-key", { mountRequirement: MountRequirement.FILE })),
    );
    const texts = {
      pods: await cluster.kubectl(["get", "pods", "-A", "-o", "yaml"]),
      etcd: await storedInEtcd(),
      audit: readFileSync(cluster.auditLog, "utf8"),
      webhook: webhook.output(),
      service: serve.output(),
      secrets: await cluster.kubectl(["get", "secrets", "-n", NAMESPACE, "-o", "yaml"]),
    };
    const leaks = Object.entries(texts).filter(([, text]) => forms.some((form) => text.includes(form)));
    // The search finds what is there.
    expect(leaks.map(([name]) => name)).toEqual(["secrets"]);
    expect(texts.etcd).toContain(`/registry/pods/${NAMESPACE}/searched`);
  });

  test("a Secret that no running pod needs is collected after its time; others stay", async () => {
    await removeAll(NAMESPACE);
    await keep("swept", "swept value");
    await create(podOf({ name: "running" }, ask("api-key")));
    await create(podOf({ name: "gone" }, ask("swept")));
    const foreign = ["create", "secret", "generic", "team-credentials", "-n", NAMESPACE, "--from-literal=a=b"];
    await cluster.kubectl(foreign);
    await cluster.kubectl(["label", "secret", "team-credentials", "-n", NAMESPACE, DELIVERED_LABEL]);
    const used = (await deliveredIn(NAMESPACE)).find(({ data }) => JSON.stringify(data).includes(forms[1] ?? ""));
    await cluster.kubectl(["delete", "pod", "gone", "-n", NAMESPACE, "--force", "--grace-period=0"]);

    const sweepAt = async (aheadMs: number) => {
      const client = connect(kubeconfig);
      const written = watchDeliveredSecrets({ client, namespace: undefined, clock: systemClock, log });
      onTestFinished(async () => {
        await written.close();
        client.close();
      });
      await written.synced;
      const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
      const lifetimes = { unusedMs: HOUR_MS, unnamedMs: HOUR_MS };
      const options = { client, written: [written], lifetimes, clock, log };
      await sweepSecrets(options, new AbortController().signal);
      return (await deliveredIn(NAMESPACE)).map(({ metadata }) => metadata.name).toSorted();
    };
    expect(await sweepAt(HOUR_MS / 2)).toHaveLength(3);
    const [left, twice] = await Promise.all([sweepAt(2 * HOUR_MS), sweepAt(2 * HOUR_MS)]);
    expect(left).toEqual([used?.metadata.name, "team-credentials"].toSorted());
    expect(twice).toEqual(left);
  });

  /** A webhook with manager K8s for the pods of one namespace, in which no managed Secret is. */
  async function startCopying(): Promise<void> {
    const copying = await startRegisteredWebhook(kubeconfig, {
      name: "copying",
      "webhook.secretManagerType": "K8s",
      "webhook.namespaceSelector": `{"matchLabels":{"kubernetes.io/metadata.name":"${COPIES}"}}`,
      "webhook.scopeBinding.trustedNamespaces": `flyte,${COPIES}`,
    });
    onTestFinished(async () => void (await copying.stop()));
    await untilAdmitted(podOf({ name: "probe", namespace: COPIES }, ask("api-key")));
  }

  test("K8s without a group refers to a copy, since the managed Secret is in another namespace", async () => {
    await startCopying();
    const place = { name: "copied", namespace: COPIES };
    const pod = await create(podOf(place, ask("api-key")));
    const [secret, ...more] = await deliveredIn(COPIES);
    expect(more).toEqual([]);
    expect(Object.values(secret?.data ?? {})).toEqual([ENCODED]);
    expect(JSON.stringify(pod.spec)).not.toContain(kubernetesSecretName(API_KEY));
    expect(pod.spec.containers[0]?.env).toContainEqual({
      name: expect.stringMatching(/^_UNION_[0-9A-F]{32}_API-KEY$/),
      valueFrom: {
        secretKeyRef: expect.objectContaining({ name: secret?.metadata.name, key: Object.keys(secret?.data ?? {})[0] }),
      },
    });
  });

  test("the copy that K8s refers to follows the managed Secret: another after an update, none after a delete", async () => {
    await removeAll(COPIES);
    await startCopying();
    let pods = 0;
    const pod = () => create(podOf({ name: `mirrored-${++pods}`, namespace: COPIES }, ask("mirrored")));
    const values = async () =>
      (await deliveredIn(COPIES))
        .flatMap(({ data }) => Object.values(data ?? {}))
        .map((value) => Buffer.from(value, "base64").toString())
        .toSorted();
    /** The webhook hears of it a moment after the service has answered. */
    const soon = <T>(what: () => Promise<T>) => expect.poll(what, { timeout: 20_000, interval: 100 });
    await keep("mirrored", "one");
    await soon(() => pod().catch(() => undefined)).toBeDefined();
    await keep("mirrored", "two", "update");
    // A pod that runs keeps what it started with.
    await soon(() => pod().then(values)).toEqual(["one", "two"]);
    await remove("mirrored");
    await soon(() => pod().catch(String)).toContain("none of the secret managers injected secret [mirrored]");
  });

  test("a webhook with rights in some namespaces writes there, and says what is missing elsewhere", async () => {
    const account = { namespace: STORE, name: "narrow" };
    const registrations = { apiGroups: ["admissionregistration.k8s.io"], resources: ["mutatingwebhookconfigurations"] };
    const rules = [{ ...registrations, verbs: ["create", "get", "list", "patch", "update", "watch"] }];
    const narrow = await cluster.createAccount({ ...account, rules });
    const grant = async (namespace: string, ...rules: string[][]) => {
      for (const [role = "", ...rule] of rules) {
        await cluster.kubectl(["create", "role", role, "-n", namespace, ...rule]);
        const subject = `--serviceaccount=${STORE}:narrow`;
        await cluster.kubectl(["create", "rolebinding", role, "-n", namespace, `--role=${role}`, subject]);
      }
    };
    await grant(STORE, ["own", "--resource=secrets", "--verb=create,get,list,watch,update"]);
    await grant(
      NARROW[0],
      ["write", "--resource=secrets", "--verb=create,get,list,watch,patch,delete"],
      ["see", "--resource=pods", "--verb=list"],
    );
    const process = await startRegisteredWebhook(narrow, {
      name: "narrow",
      "webhook.namespaceSelector": `{"matchExpressions":[{"key":"kubernetes.io/metadata.name","operator":"In","values":${JSON.stringify(NARROW)}}]}`,
      "webhook.scopeBinding.trustedNamespaces": NARROW.join(","),
      "webhook.writtenSecrets.namespaces": NARROW.slice(0, 2).join(","),
    });
    onTestFinished(async () => void (await process.stop()));
    const podIn = (namespace: string) => podOf({ name: "narrow", namespace }, ask("api-key"));
    await untilAdmitted(podIn(NARROW[0]));
    await create(podIn(NARROW[0]));
    expect(await deliveredIn(NARROW[0])).toHaveLength(1);
    await expect(create(podIn("closed"))).rejects.toThrow(
      "we have no permission to create secrets in namespace closed. Grant it to the account",
    );
    await expect(create(podIn("unlisted"))).rejects.toThrow(
      "Nothing is written to namespace unlisted, since webhook.writtenSecrets.namespaces doesn't list it.",
    );
  });

  test("in the namespace of the managed Secret it refers to that, and nothing is written", async () => {
    const pod = await create(podOf({ name: "here", namespace: STORE }, ask("api-key")));
    expect(pod.spec.containers[0]?.env).toContainEqual({
      name: "_UNION_API-KEY",
      valueFrom: { secretKeyRef: { name: kubernetesSecretName(API_KEY), key: encodeSecretId(API_KEY) } },
    });
    expect(await deliveredIn(STORE)).toEqual([]);
  });
});
