// What the service over a real API server shows in its metrics.
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { type Cluster, requireKubernetes, startCluster } from "./cluster.ts";

describeWith(requireKubernetes(), "the service's metrics", () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster();
  });
  afterAll(() => cluster?.close());

  test("calls, and the requests to the API server that its own limit held back", async () => {
    const serve = await startServe({
      directory: join(cluster.directory, "serve"),
      args: ["--secret.kubernetes.qps", "2", "--secret.kubernetes.burst", "1"],
      env: { SECRET_STORE_TYPE: "Kubernetes", SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig },
    });
    onTestFinished(async () => void (await serve.close()));
    const headers = { authorization: `Bearer ${serve.token}` };
    const get = async (path: string) => (await fetch(serve.endpoint + path, { headers })).text();
    await getAtOnce(serve, { path: "/secrets/api/v1/name/absent", times: 5 });
    const shown = await get("/metrics");
    const reading = (metric: string) => Number(new RegExp(`^${metric} (\\S+)$`, "m").exec(shown)?.[1]);
    const labels =
      'rpc_service="flyteidl2.secret.SecretService",rpc_method="GetSecret",protocol="rest",code="not_found"';
    expect(reading(`rpc_server_duration_seconds_count{${labels}}`)).toBe(5);
    expect(reading('flyte_secrets_kube_requests_total{verb="get",code="404"}')).toBeGreaterThanOrEqual(5);
    // They wait for 5 s together, less what the server takes from the first to the last of one piece.
    expect(reading('flyte_secrets_kube_request_wait_seconds_sum{verb="get"}')).toBeGreaterThan(1);
    expect(reading("process_resident_memory_bytes")).toBeGreaterThan(10e6);
  });
});

/** Sends equal requests in one piece, so that the server has all of them at once, and waits for their responses. */
async function getAtOnce({ port, token }: ServeProcess, { path, times }: { path: string; times: number }) {
  const socket = connect(port, "127.0.0.1");
  const head = `GET ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n`;
  socket.write(`${`${head}\r\n`.repeat(times - 1)}${head}connection: close\r\n\r\n`);
  await text(socket);
}
