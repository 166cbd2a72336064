// What explain and mutate foretell of pods, and what the webhook makes of them, where values are in a namespace's
// Secrets: the webhook follows them by a watch, the commands read each by itself.

import {
  LONG_KEY,
  openAgreement,
  randomPods,
  toFlags,
  type Verdict,
  webhookSettings,
} from "@flyte-secrets/cli/testing";
import { loadConfig } from "@flyte-secrets/config";
import { encodeSecretId, kubernetesSecretName, type SecretId, SecretValue, systemClock } from "@flyte-secrets/core";
import { openKubernetesStore } from "@flyte-secrets/store";
import { generic } from "@flyte-secrets/testkit/vitest";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { connect, log } from "./store-fixture.ts";

/** Pods are asked about ten at a time; more with `PROPERTY_RUNS`, for a long run. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 400);
const NAMESPACE = "values";
/** Secrets that somebody else has put there. */
const FOREIGN = ["unlabelled", "beside-others", "other-key", "no-data", "zero-bytes", "null", "line-end", "misnamed"];

const idOf = (name: string): SecretId => ({ org: "flyte", domain: "dev", project: "shop", name });
const everywhere = { domain: "", project: "" };
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A Secret with the name of this one's, and that data. */
function secretNamed(name: string, data: Readonly<Record<string, string | null>>, id = idOf(name)) {
  return { apiVersion: "v1", kind: "Secret", metadata: { namespace: NAMESPACE, name: kubernetesSecretName(id) }, data };
}

describeWith(requireKubernetes(), "with values in a namespace of a real API server", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
    const place = { namespace: NAMESPACE, imagePullNamespace: NAMESPACE, clusterName: "one" };
    const client = connect(cluster.adminKubeconfig);
    const store = await openKubernetesStore({ client, ...place, clock: systemClock, log });
    await store.create(idOf("password"), generic("narrow"));
    await store.create({ ...idOf("password"), project: "" }, generic("broad"));
    await store.create({ ...idOf("api-key"), ...everywhere }, generic("global"));
    await store.create({ ...idOf("other-key"), ...everywhere }, generic("hidden by what is narrower"));
    await store.create(idOf("bytes"), { type: "generic", value: SecretValue.fromBytes(Uint8Array.of(255, 0)) });
    await store.close();
    const keyOf = (name: string) => encodeSecretId(idOf(name));
    const items = [
      secretNamed("unlabelled", { [keyOf("unlabelled")]: base64("as Flyte's") }),
      secretNamed("beside-others", {
        "a-key": base64("no id"),
        [keyOf("password")]: base64("of another name"),
        [keyOf("beside-others")]: base64("the right one"),
      }),
      secretNamed("other-key", { [keyOf("password")]: base64("of another name") }),
      secretNamed("no-data", {}),
      secretNamed("zero-bytes", { [keyOf("zero-bytes")]: "" }),
      secretNamed("null", { [keyOf("null")]: null }),
      secretNamed("line-end", { [keyOf("line-end")]: base64("value\n") }),
      secretNamed("misnamed", { [keyOf("misnamed")]: base64("value") }, idOf("another")),
      // Its id is longer than any key of a Secret.
      secretNamed(LONG_KEY, { "a-key": base64("no id") }),
    ];
    await cluster.kubectl(
      ["apply", "--validate=false", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    );
  });
  afterAll(() => cluster?.close());

  function configOf(settings: Parameters<typeof toFlags>[0], type: string) {
    const flags = {
      ...toFlags(settings),
      "secret.store.type": "Kubernetes",
      "secret.kubernetes.kubeconfig": cluster.adminKubeconfig,
      "secret.kubernetes.namespace": NAMESPACE,
      "webhook.embeddedSecretManagerConfig.type": type,
      "webhook.embeddedSecretManagerConfig.k8sConfig.namespace": NAMESPACE,
      "webhook.kubeClientConfig.qps": "1000",
      "webhook.kubeClientConfig.burst": "1000",
    };
    const home = cluster.directory;
    return loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
  }

  test("explain, mutate and the webhook agree about pods, whatever is configured", async () => {
    const verdicts = new Set<Verdict>();
    const env = { HOME: cluster.directory, FLYTE_SECRET_DB_PASSWORD: "global-value" };
    const types = fc.constantFrom("K8s", "Store");
    const tenPods = fc.array(randomPods(...FOREIGN), { minLength: 10, maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(webhookSettings, types, tenPods, async (settings, type, pods) => {
        await using cleanUp = new AsyncDisposableStack();
        const config = configOf(settings, type);
        const client = cleanUp.adopt(connect(cluster.adminKubeconfig), (client) => client.close());
        const openStore = () => Promise.reject(new Error("values are in Secrets"));
        const sources = { openStore, openKube: async () => client };
        const agreement = cleanUp.use(await openAgreement(config, { env, home: cluster.directory, sources }));
        for (const pod of pods) verdicts.add(await agreement.expectFor(pod));
      }),
      { numRuns: Math.ceil(RUNS / 10) },
    );
    // Pods of each kind were among them.
    expect([...verdicts]).toEqual(
      expect.arrayContaining(["changed", "not_injected", "pod_conflict", "unchanged", "value_unreadable"]),
    );
  });
});
