// What the service has in its heap of the values that its watch passes through it.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { kubernetesSecretName } from "@flyte-secrets/core";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { flytesSecret } from "../support/flytes-secret.ts";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";
import { id } from "./store-fixture.ts";

const CANARY = "canary-4f1c9a7e-value";
const NAMESPACE = "flyte";

describeWith(requireKubernetes(), "the heap of a service that follows the Secrets of a real API server", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
    await cluster.kubectl(["create", "namespace", NAMESPACE]);
  });
  afterAll(() => cluster?.close());

  const apply = (...items: object[]) =>
    cluster.kubectl(
      [`--namespace=${NAMESPACE}`, "apply", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items }),
    );
  const named = (name: string) => id("development", "shop", name);

  /** All strings of a heap, after a full garbage collection. */
  async function takeHeapSnapshot({ process: { pid = 0 } }: ServeProcess, directory: string): Promise<string> {
    process.kill(pid, "SIGUSR2");
    return await vi.waitFor(
      () => {
        const [file] = readdirSync(directory).filter((name) => name.endsWith(".heapsnapshot"));
        const content = file === undefined ? "" : readFileSync(join(directory, file), "utf8");
        // It is written piece by piece.
        JSON.parse(content);
        return content;
      },
      { timeout: 60_000, interval: 500 },
    );
  }

  test("has the names that were listed and watched, and none of the values", async () => {
    const listed = Array.from({ length: 150 }, (_, at) => flytesSecret(named(`listed-${at}`), `${CANARY}-${at}`));
    await apply(...listed);
    const snapshots = createTemporaryDirectory();
    const serve = await startServe({
      directory: join(cluster.directory, "serve"),
      env: {
        SECRET_STORE_TYPE: "Kubernetes",
        SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig,
        NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots}`,
      },
    });
    onTestFinished(async () => void (await serve.close()));
    const headers = { authorization: `Bearer ${serve.token}` };
    const list = async () => {
      const answer = await fetch(`${serve.endpoint}/secrets/api/v1?limit=1000`, { headers });
      const { secrets } = (await answer.json()) as { secrets: { id: { name: string } }[] };
      return secrets.map((secret) => secret.id.name);
    };
    await expect.poll(list, { timeout: 30_000 }).toHaveLength(150);
    await apply(flytesSecret(named("watched"), `${CANARY}-watched`));
    await expect.poll(list, { timeout: 30_000 }).toContain("watched");
    await apply(flytesSecret(named("watched"), `${CANARY}-changed`));
    // The last event that it receives is one with a value.
    const version = await cluster.kubectl([
      `--namespace=${NAMESPACE}`,
      "get",
      "secret",
      kubernetesSecretName(named("watched")),
      "-o=jsonpath={.metadata.resourceVersion}",
    ]);
    const heap = await takeHeapSnapshot(serve, snapshots);
    for (const name of ["listed-0", "listed-149", "watched"]) expect(heap).toContain(name);
    expect(heap).toContain(version);
    const forms = [CANARY, Buffer.from(CANARY).toString("base64").slice(0, 24), Buffer.from(CANARY).toString("hex")];
    expect(forms.filter((form) => heap.includes(form))).toEqual([]);
  });
});
