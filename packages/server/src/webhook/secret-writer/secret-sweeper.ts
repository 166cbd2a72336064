import { isSecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { type Clock, sleep } from "../../clock.ts";
import type { KubeClient } from "../../kube/kube-client.ts";
import { defineResource, type KubeObject, SECRETS } from "../../kube/kube-object.ts";
import type { WrittenSecret } from "./written-secret.ts";
import type { WrittenSecrets } from "./written-secrets.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
interface StoredPod extends KubeObject {
  readonly spec?: object;
  readonly status?: { readonly phase?: string };
}

const PODS = defineResource<StoredPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });
const PAGE = 500;

/** Of written Secrets, and of copies of image-pull Secrets. */
const OUR_NAMES = /flyte-secrets-[0-9a-f]{32}|img-pull-[0-9a-f]{16}/g;

export interface SecretSweeperOptions {
  readonly client: Pick<KubeClient, "list" | "delete">;
  readonly written: readonly WrittenSecrets[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Collects the Secrets of ours that have no owner, whose time is over, and that no pod names which has not ended. A failure in one namespace is logged and keeps no other from being swept. Any number may sweep at once: only
 * the very state that was looked at is deleted, and writing notes the need of a Secret in it.
 */
export async function sweepSecrets(options: SecretSweeperOptions, signal: AbortSignal): Promise<void> {
  const { client, written, clock, log } = options;
  // Looked at before the pods are: one that is needed meanwhile is another state by then.
  const due = written
    .flatMap((secrets) => secrets.all() ?? [])
    .filter(({ owners, neededUntil }) => owners.size === 0 && clock.now() >= neededUntil);
  for (const [namespace, secrets] of Map.groupBy(due, (secret) => secret.namespace)) {
    try {
      const named = await namedByPods(client, namespace, signal);
      for (const secret of secrets.filter(({ name }) => !named.has(name))) {
        if (await deleteExactly(client, secret, signal))
          log.info({ namespace, secret: secret.name }, "collected a Secret");
      }
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: error, namespace }, "unused Secrets cannot be collected");
    }
  }
}

/** Names of Secrets of ours anywhere in the pods of a namespace that have not ended. */
async function namedByPods(
  client: Pick<KubeClient, "list">,
  namespace: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  const names = new Set<string>();
  let next: string | undefined;
  do {
    const page = await client.list(PODS, { namespace, limit: PAGE, continue: next }, { signal });
    for (const { spec, status } of page.items) {
      if (status?.phase === "Succeeded" || status?.phase === "Failed") continue;
      // Wherever a later Kubernetes version may let pods name Secrets.
      for (const [name] of JSON.stringify(spec ?? {}).matchAll(OUR_NAMES)) names.add(name);
    }
    next = page.continue;
  } while (next !== undefined);
  return names;
}

/** False where it is not as it was any more. */
async function deleteExactly(
  client: Pick<KubeClient, "delete">,
  { namespace, name, uid, resourceVersion }: WrittenSecret,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await client.delete(SECRETS, { namespace, name, preconditions: { uid, resourceVersion } }, { signal });
  } catch (error) {
    if (isSecretsError(error, "conflict")) return false;
    throw error;
  }
}

/** Sweeps every `everyMs`, at moments that differ between replicas, until it is closed. */
export function startSweeping(options: SecretSweeperOptions & { readonly everyMs: number }): {
  close(): Promise<void>;
} {
  const closing = new AbortController();
  const { signal } = closing;
  async function run(): Promise<void> {
    for (;;) {
      try {
        await sleep(options.clock, options.everyMs * (0.5 + Math.random()), signal);
      } catch {
        return;
      }
      await sweepSecrets(options, signal);
    }
  }
  const running = run();
  return {
    async close() {
      closing.abort();
      await running;
    },
  };
}
