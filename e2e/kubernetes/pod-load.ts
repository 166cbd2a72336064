import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { INJECT_LABEL, MountRequirement, toRequestAnnotations } from "@flyte-secrets/core";
import type { Cluster } from "./cluster.ts";

/** What became of one creation of a pod. Times are of `performance.now()`. */
export type PodCreation = {
  readonly startedMs: number;
  readonly endedMs: number;
} & (
  | {
      readonly kind: "created";
      readonly name: string;
      /** Of the replica that admitted it. */
      readonly mark: string;
      /** The Secret that it refers to, and the key in that. */
      readonly secret: { readonly name: string; readonly key: string };
    }
  | { readonly kind: "failed"; readonly why: string }
);

export interface PodLoad {
  /** Those that are over. */
  readonly creations: readonly PodCreation[];
  /** Begins no more and waits for those in flight. */
  stop(): Promise<readonly PodCreation[]>;
}

export interface PodLoadOptions {
  /** Named as the webhook binds it to the pod's project and domain. */
  readonly namespace: string;
  readonly project: string;
  readonly domain: string;
  /** Of the one secret that each pod asks for, as a variable. */
  readonly key: string;
  /**
   * So many creations begin each time, whatever became of those before; several, so that the API server calls several
   * replicas.
   */
  readonly atOnce: number;
  readonly everyMs: number;
  /** How long a creator waits, and tells the API server that it does. Default: 5. */
  readonly patienceSeconds?: number;
}

/** Creates pods through the API server at a constant pace, and none a second time. */
export function startPodLoad(cluster: Cluster, options: PodLoadOptions): PodLoad {
  const { namespace, atOnce, everyMs, patienceSeconds = 5 } = options;
  const token = adminToken(cluster);
  const body = JSON.stringify(podOf(options));
  const agent = new Agent({ keepAlive: true });
  const path = `/api/v1/namespaces/${namespace}/pods?timeout=${patienceSeconds}s`;
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };

  const post = () =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const signal = AbortSignal.timeout(patienceSeconds * 1000);
      const sent = request(`${cluster.url}${path}`, { method: "POST", ca: cluster.ca, agent, headers, signal });
      sent.once("error", reject);
      sent.once("response", (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => {
          text += chunk;
        });
        answer.once("error", reject);
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      sent.end(body);
    });

  const creations: PodCreation[] = [];
  const create = async () => {
    const startedMs = performance.now();
    const end = (outcome: object) => ({ startedMs, endedMs: performance.now(), ...outcome }) as PodCreation;
    try {
      const { status, text } = await post();
      creations.push(end(status === 201 ? readPod(text) : { kind: "failed", why: JSON.parse(text).message }));
    } catch (error) {
      creations.push(end({ kind: "failed", why: error instanceof Error ? error.message : String(error) }));
    }
  };
  let stopping = false;
  const underWay = new Set<Promise<void>>();
  const run = async () => {
    for (let next = performance.now(); !stopping; next += everyMs) {
      await delay(Math.max(0, next - performance.now()));
      for (let n = 0; n < atOnce; n++) {
        const creating = create().finally(() => underWay.delete(creating));
        underWay.add(creating);
      }
    }
  };
  const running = run();
  return {
    creations,
    async stop() {
      stopping = true;
      await running;
      await Promise.all(underWay);
      agent.destroy();
      return creations;
    },
  };
}

function podOf({ namespace, project, domain, key }: PodLoadOptions): object {
  const request = { group: "", groupVersion: "", key, mountRequirement: MountRequirement.ENV_VAR, envVar: "" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      generateName: "load-",
      namespace,
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project, domain },
      annotations: toRequestAnnotations([request]),
    },
    spec: { containers: [{ name: "main", image: "train" }] },
  };
}

function readPod(text: string) {
  const { metadata, spec } = JSON.parse(text);
  const { env = [] } = spec.containers[0];
  const mark = env.find(({ name }: { name: string }) => name === "FLYTE_SECRETS_ENV_PREFIX")?.value;
  const secret = env.map(({ valueFrom }: { valueFrom?: { secretKeyRef: unknown } }) => valueFrom?.secretKeyRef)[0];
  return mark === undefined || secret === undefined
    ? { kind: "failed", why: "created without its secret" }
    : { kind: "created", name: metadata.name, mark, secret };
}

function adminToken({ adminKubeconfig }: Cluster): string {
  return JSON.parse(readFileSync(adminKubeconfig, "utf8")).users[0].user.token;
}
