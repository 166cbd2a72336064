import { encodeSecretId, kubernetesSecretName, managedLabels } from "@flyte-secrets/core";
import { startServe } from "@flyte-secrets/testkit";
import { startCluster } from "../e2e/kubernetes/cluster.ts";
import { adminToken, UNLIMITED } from "./cluster-client.ts";
import { type LoadResult, runH2load } from "./h2load.ts";
import { postNewRequests } from "./new-requests-load.ts";
import { cpuUs } from "./process.ts";
import { putLoad as putRpcLoad } from "./rpc-load.ts";
import { type Row, toSpread } from "./table.ts";

const SECONDS = Number(process.env.BENCH_SECONDS ?? "2");
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "3");
const NAMESPACE = "flyte";
const LISTED = 100;
const SCOPE = { domain: "development", project: "bench" };
const VALUE = "bench-value-0123456789";

const CALLS = ["get", "get, grpc", "create", "list"] as const;
type Call = (typeof CALLS)[number];

/** One request of a load; those of a create have another name each. */
interface Wanted {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: (n: number) => object;
  /** A get of this secret over gRPC instead. */
  readonly grpcName?: string;
}

/** A call of the service, and the request that it makes of the API server. */
interface Pair {
  readonly ours: Wanted;
  readonly direct: Wanted;
}

/** Where a load goes. */
interface Target {
  readonly url: string;
  readonly token: string;
}

interface Measured {
  readonly server: Target & { readonly pid: number };
  readonly connections: number;
}

/**
 * Calls a second of `serve` over a real API server, next to a bare client that sends the API server what the service
 * sends it. The client-side limit (`secret.kubernetes.qps`, `burst`) is out of the way for all rows but the last.
 */
export async function benchKubernetesService(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const cluster = opened.adopt(await startCluster(), (started) => started.close());
  const serve = async (limits: Record<string, string>) => {
    const store = { SECRET_STORE_TYPE: "Kubernetes", SECRET_KUBERNETES_KUBECONFIG: cluster.adminKubeconfig };
    const server = await startServe({ args: ["--secret.webhookURL="], env: { ...store, ...limits } });
    opened.defer(async () => void (await server.close()));
    return { url: server.endpoint, token: server.token, pid: server.process.pid ?? 0 };
  };
  const unlimited = { SECRET_KUBERNETES_QPS: String(UNLIMITED), SECRET_KUBERNETES_BURST: String(UNLIMITED) };
  const ours = await serve(unlimited);
  const direct = { url: cluster.url, token: adminToken(cluster) };
  const limited = await serve({});
  for (let n = 0; n < LISTED; n++) await sendOnce(ours, pairOf("create", "listed").ours, n);

  const rows: Row[] = [];
  const measure = async (what: string, call: Call, { server, connections }: Measured) => {
    const rounds: { mine: LoadResult; reference: LoadResult; cpuUs: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const pair = pairOf(call, `round-${connections}-${round}`);
      const before = cpuUs(server.pid);
      const mine = await putLoad(server, pair.ours, connections);
      const cpu = (cpuUs(server.pid) - before) / (mine.answered + mine.failed);
      rounds.push({ mine, reference: await putLoad(direct, pair.direct, connections), cpuUs: cpu });
    }
    const of = (pick: (round: (typeof rounds)[number]) => number) => toSpread(rounds.map(pick));
    rows.push({
      what,
      connections,
      ours: of(({ mine }) => mine.perSecond),
      "API server": of(({ reference }) => reference.perSecond),
      ratio: of(({ mine, reference }) => mine.perSecond / reference.perSecond),
      "CPU µs a call": of((round) => round.cpuUs),
      "p50 ms": of(({ mine }) => mine.p50Ms),
      "p99 ms": of(({ mine }) => mine.p99Ms),
      failed: rounds.reduce((sum, { mine, reference }) => sum + mine.failed + reference.failed, 0),
    });
  };
  for (const call of CALLS) {
    for (const connections of [1, 16]) {
      await measure(call === "list" ? `list of ${LISTED}` : call, call, { server: ours, connections });
    }
  }
  await measure("get, default qps and burst", "get", { server: limited, connections: 16 });
  return rows;
}

function pairOf(call: Call, prefix: string): Pair {
  const path = `/api/v1/namespaces/${NAMESPACE}/secrets`;
  const service = "/flyteidl2.secret.SecretService";
  const idOf = (name: string) => ({ org: "flyte", ...SCOPE, name });
  switch (call) {
    case "get, grpc": {
      const { ours, direct } = pairOf("get", prefix);
      return { ours: { ...ours, grpcName: "listed-0" }, direct };
    }
    case "get":
      return {
        ours: { method: "POST", path: `${service}/GetSecret`, body: () => ({ id: { ...SCOPE, name: "listed-0" } }) },
        direct: { method: "GET", path: `${path}/${kubernetesSecretName(idOf("listed-0"))}` },
      };
    case "create":
      return {
        ours: {
          method: "POST",
          path: `${service}/CreateSecret`,
          body: (n) => ({ id: { ...SCOPE, name: `${prefix}-${n}` }, secretSpec: { stringValue: VALUE } }),
        },
        direct: {
          method: "POST",
          path,
          body(n) {
            const id = idOf(`direct-${prefix}-${n}`);
            const metadata = { name: kubernetesSecretName(id), labels: managedLabels(id) };
            const data = { [encodeSecretId(id)]: Buffer.from(VALUE).toString("base64") };
            return { apiVersion: "v1", kind: "Secret", metadata, data };
          },
        },
      };
    case "list": {
      const labels = managedLabels({ ...SCOPE, org: "flyte", name: "" });
      const selector = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      const query = new URLSearchParams({ limit: String(LISTED), labelSelector: selector.join(",") });
      return {
        ours: { method: "POST", path: `${service}/ListSecrets`, body: () => ({ ...SCOPE, limit: LISTED }) },
        direct: { method: "GET", path: `${path}?${query}` },
      };
    }
  }
}

function headersOf({ token }: Target): Record<string, string> {
  return { authorization: `Bearer ${token}`, "content-type": "application/json" };
}

async function sendOnce(target: Target, { method, path, body }: Wanted, n: number): Promise<void> {
  const answer = await fetch(`${target.url}${path}`, {
    method,
    headers: headersOf(target),
    body: body === undefined ? null : JSON.stringify(body(n)),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** Keeps the connections busy, one request at a time on each. */
function putLoad(target: Target, { path, body, grpcName }: Wanted, connections: number): Promise<LoadResult> {
  if (grpcName !== undefined) {
    const load = { ...target, connections, seconds: SECONDS, name: grpcName };
    return putRpcLoad({ ...load, protocol: "grpc", call: "get" });
  }
  const headers = headersOf(target);
  const load = { url: target.url + path, headers, connections, seconds: SECONDS };
  if (body === undefined) return runH2load({ ...load, http: "1.1" });
  const encode = (n: number) => Buffer.from(JSON.stringify(body(n)));
  // Bodies that are all the same can be sent by h2load.
  if (encode(0).equals(encode(1))) return runH2load({ ...load, http: "1.1", body: encode(0) });
  return postNewRequests({ ...load, body: encode });
}
