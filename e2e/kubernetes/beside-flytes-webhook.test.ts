import { readFileSync } from "node:fs";
import { join } from "node:path";
import { INJECT_LABEL, MountRequirement, type SecretRequest, toRequestAnnotations } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { flytesSecret } from "../support/flytes-secret.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { startRegisteredWebhook } from "./webhook-process.ts";

const VALUE = "the-value-in-this-test";
const NAMESPACE = "shop-development";
/** Names and settings of docs/migrating-from-flyte.md. */
const THEIRS = "flyte-pod-webhook";
const OURS = "flyte-secrets-webhook";
const IS_OURS = { matchLabels: { "flyte-secrets": "true" } };
const IS_THEIRS = { matchExpressions: [{ key: "flyte-secrets", operator: "DoesNotExist" }] };
const GUIDE = readFileSync(join(import.meta.dirname, "../../docs/migrating-from-flyte.md"), "utf8");
/** The commands there that move project shop. */
const [MOVE_PROJECT = ""] = /(?<=```sh\n)condition\(\) \{.*?(?=```)/s.exec(GUIDE) ?? [];

/** A task's pod that asks for `api-key`. */
function podIn(namespace: string, project: string, mountRequirement: SecretRequest["mountRequirement"]): string {
  const labels = { [INJECT_LABEL]: "true", organization: "flyte", project, domain: "development" };
  const request = { group: "", groupVersion: "", key: "api-key", mountRequirement, envVar: "" };
  const annotations = toRequestAnnotations([request]);
  const metadata = { name: "task", namespace, labels, annotations };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { containers: [{ name: "main", image: "train" }] },
  });
}

// Flyte's own webhook can't be built here. Ours with delivery Inline makes what it makes of a pod, as its recorded
// answers show (the vectors in testkit), so that one stands for it.
describeWith(requireKubernetes(), "two webhooks on a real API server, Flyte's and ours", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    for (const namespace of ["flyte", NAMESPACE]) await cluster.kubectl(["create", "namespace", namespace]);
    const secret = flytesSecret({ org: "flyte", domain: "development", project: "", name: "api-key" }, VALUE);
    await cluster.kubectl(["create", "--namespace=flyte", "-f", "-"], JSON.stringify(secret));
  });
  afterAll(() => cluster?.close());

  async function startBoth(selectors: { readonly theirs?: object; readonly ours?: object } = {}): Promise<void> {
    const start = async (name: string, delivery: string, selector?: object) => {
      const webhook = await startRegisteredWebhook(cluster.adminKubeconfig, {
        name,
        "webhook.embeddedSecretManagerConfig.delivery": delivery,
        ...(selector && { "webhook.namespaceSelector": JSON.stringify(selector) }),
      });
      onTestFinished(async () => {
        await webhook.stop();
        await cluster.kubectl(["delete", "mutatingwebhookconfiguration", name]);
      });
    };
    await Promise.all([start(THEIRS, "Inline", selectors.theirs), start(OURS, "SecretRef", selectors.ours)]);
  }

  const create = (pod: string) => cluster.kubectl(["create", "--dry-run=server", "-o", "json", "-f", "-"], pod);

  /** Which webhook a pod got its variable from. */
  async function servedBy(namespace: string, project: string): Promise<"theirs" | "ours" | "none"> {
    const pod = JSON.parse(await create(podIn(namespace, project, MountRequirement.ENV_VAR)));
    const env: readonly { name: string; value?: string }[] = pod.spec.containers[0].env ?? [];
    const found = env.find(({ name }) => name === "_UNION_API-KEY");
    if (found === undefined) return "none";
    return found.value === VALUE ? "theirs" : "ours";
  }

  /** The API server hears of labels and registrations a moment later. */
  async function untilServedBy(who: "theirs" | "ours", namespace: string, project: string): Promise<void> {
    const isServed = async () => (await servedBy(namespace, project)) === who;
    await vi.waitUntil(isServed, { timeout: 20_000, interval: 100 });
  }

  test("a label on its namespace moves pods from Flyte's webhook to ours, and back", async () => {
    await startBoth({ theirs: IS_THEIRS, ours: IS_OURS });
    const label = (change: string) => cluster.kubectl(["label", "namespace", NAMESPACE, change]);
    await untilServedBy("theirs", NAMESPACE, "shop");
    await label("flyte-secrets=true");
    await untilServedBy("ours", NAMESPACE, "shop");
    await label("flyte-secrets-");
    await untilServedBy("theirs", NAMESPACE, "shop");
  });

  test("where all pods are in one namespace, match conditions move them by project; without them both get a pod", async () => {
    await startBoth({ ours: IS_OURS });
    await untilServedBy("theirs", "flyte", "shop");
    const env = {
      PATH: `${cluster.programs}:${process.env.PATH}`,
      KUBECONFIG: cluster.adminKubeconfig,
      HOME: cluster.directory,
    };
    expect(await runProgram("bash", ["-euc", MOVE_PROJECT], { env })).toMatchObject({ exitCode: 0 });
    await untilServedBy("ours", "flyte", "shop");
    await untilServedBy("theirs", "flyte", "another");

    const everyPod = JSON.stringify([{ op: "remove", path: "/webhooks/0/matchConditions" }]);
    for (const name of [OURS, THEIRS]) {
      await cluster.kubectl(["patch", "mutatingwebhookconfiguration", name, "--type=json", "-p", everyPod]);
    }
    const refused = async () => {
      const message = await create(podIn("flyte", "shop", MountRequirement.FILE)).catch(String);
      return message.includes(
        'volume "embedded-secret-vol" has the name of a volume that flyte-secrets adds, but another source',
      );
    };
    await vi.waitUntil(refused, { timeout: 20_000, interval: 100 });
  });
});
