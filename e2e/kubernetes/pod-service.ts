import { setTimeout as delay } from "node:timers/promises";
import { openForwarder } from "./forward-connections.ts";

/** A pod that a Service sends to: where it serves, and where it says whether it is ready. */
export interface Endpoint {
  readonly port: number;
  readonly probes: number;
}

/**
 * What a Kubernetes Service is to its clients: one address; each connection goes to one of the pods that are ready, in
 * turn.
 */
export interface PodService {
  readonly port: number;
  /** Resolves once the pod is ready and has its place. */
  add(endpoint: Endpoint): Promise<void>;
  /** Where new connections go at present. */
  ready(): readonly Endpoint[];
  close(): Promise<void>;
}

/** How soon a pod that is not ready loses its place, and one that is gets it. */
const LOOK_MS = 500;

/**
 * Opens one on a free port. As with kube-proxy, a connection that cannot be made is not tried elsewhere, and one that
 * was made stays with its pod.
 */
export async function openPodService(): Promise<PodService> {
  const endpoints: Endpoint[] = [];
  let ready: readonly Endpoint[] = [];
  let turn = 0;
  const forwarder = await openForwarder(() => {
    const endpoint = ready[turn++ % ready.length];
    return endpoint && { port: endpoint.port, host: "127.0.0.1" };
  });
  const look = async () => {
    const answers = await Promise.all(endpoints.map(isReady));
    ready = endpoints.filter((_, at) => answers[at]);
  };
  const looking = setInterval(() => void look(), LOOK_MS);
  return {
    port: forwarder.port,
    async add(endpoint) {
      endpoints.push(endpoint);
      while (!ready.includes(endpoint)) await delay(LOOK_MS / 5);
    },
    ready: () => ready,
    async close() {
      clearInterval(looking);
      await forwarder.close();
    },
  };
}

async function isReady({ probes }: Endpoint): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${probes}/readyz`, { signal: AbortSignal.timeout(LOOK_MS) })).ok;
  } catch {
    return false;
  }
}
