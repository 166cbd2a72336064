import { type Clock, isSecretsError, sleep } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { defineResource, type KubeObject, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type DeliveredSecret, type Lifetimes, retentionAnnotations } from "./delivered-secret.ts";
import type { DeliveredSecrets } from "./delivered-secrets.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
interface StoredPod extends KubeObject {
  readonly spec?: object;
  readonly status?: { readonly phase?: string };
}

const PODS = defineResource<StoredPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });
/** A page is in memory as one text, and a pod may have more than a mebibyte. */
const PAGE = 50;

/** Of written Secrets, and of copies of image-pull Secrets. */
const OUR_NAMES = /flyte-secrets-[0-9a-f]{32}|img-pull-[0-9a-f]{16}/g;

export interface SecretSweeperOptions {
  readonly client: Pick<KubeClient, "list" | "patch" | "delete">;
  readonly written: readonly DeliveredSecrets[];
  readonly lifetimes: Lifetimes;
  /**
   * Whether a namespace may have no secrets any more: what was written there goes as soon as no pod names it, without
   * waiting for its time. Asked for each Secret at each sweep. By default none has lost them.
   */
  readonly hasLostBinding?: ((namespace: string) => boolean) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Collects the Secrets of ours whose time is over and that no pod names which has not ended, and notes of the others
 * that one does: from then on they have the longer time. Looks only at namespaces with Secrets whose time is over or
 * that no pod was seen to name. A failure in one namespace is logged and keeps no other from being swept. Any number
 * may sweep at once: only the very state that was looked at is changed or deleted, and writing notes the need of a
 * Secret in it.
 */
export async function sweepSecrets(options: SecretSweeperOptions, signal: AbortSignal): Promise<void> {
  const { written, hasLostBinding = () => false, clock, log } = options;
  const now = clock.now();
  const isDue = ({ namespace, owners, neededUntil, isNamed }: DeliveredSecret) => {
    if (hasLostBinding(namespace)) return isNamed !== false || now >= neededUntil;
    return now >= neededUntil && (owners.size === 0 || isNamed !== undefined);
  };
  // Looked at before the pods are: one that is needed meanwhile is another state by then.
  const looked = written
    .flatMap((secrets) => secrets.all() ?? [])
    .map((secret) => ({ secret, isDue: isDue(secret) }))
    .filter(({ secret, isDue }) => isDue || secret.isNamed === false);
  for (const [namespace, secrets] of Map.groupBy(looked, ({ secret }) => secret.namespace)) {
    try {
      const named = await namedByPods(options.client, namespace, signal);
      for (const { secret, isDue } of secrets) {
        if (named.has(secret.name)) await noteNamed(options, secret, signal);
        else if (isDue && (await deleteExactly(options, secret, signal)))
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

/** Gives one that a pod names the longer time, unless it has that already. */
async function noteNamed(
  { client, lifetimes, clock }: SecretSweeperOptions,
  { namespace, name, resourceVersion, neededUntil, isNamed }: DeliveredSecret,
  signal: AbortSignal,
): Promise<void> {
  if (isNamed === true && clock.now() < neededUntil) return;
  const patch = { metadata: { resourceVersion, annotations: retentionAnnotations(clock.now(), true, lifetimes) } };
  try {
    await client.patch(SECRETS, { namespace, name, patch }, { signal });
  } catch (error) {
    if (!isSecretsError(error, "conflict", "not_found")) throw error;
  }
}

/** False where it is not as it was any more. */
async function deleteExactly(
  { client }: SecretSweeperOptions,
  { namespace, name, uid, resourceVersion }: DeliveredSecret,
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
