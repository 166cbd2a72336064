import { type Clock, isSecretsError, sleep } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { defineResource, type KubeObject, nextLimit, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { type DeliveredSecret, type Lifetimes, retentionAnnotations } from "./delivered-secret.ts";
import type { DeliveredSecrets } from "./delivered-secrets.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
interface StoredPod extends KubeObject {
  readonly spec?: object;
  readonly status?: { readonly phase?: string };
}

const PODS = defineResource<StoredPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });
/** A page is one text in memory, and a pod may have more than a mebibyte. */
const PAGE = 50;

/** The names of delivered Secrets and of copies of image-pull Secrets. */
const OUR_NAMES = /flyte-secrets-[0-9a-f]{32}|img-pull-[0-9a-f]{16}/g;

export interface SecretSweeperOptions {
  readonly client: Pick<KubeClient, "list" | "patch" | "delete">;
  readonly written: readonly DeliveredSecrets[];
  readonly lifetimes: Lifetimes;
  /**
   * Whether a namespace has lost its binding: Secrets there are deleted as soon as no pod names them, before their
   * lifetime is over. Called for each Secret at each sweep. Default: no namespace.
   */
  readonly hasLostBinding?: ((namespace: string) => boolean) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Deletes the delivered Secrets whose lifetime is over and that no running or pending pod names, and gives the others
 * that a pod names the longer lifetime. Lists the pods only of namespaces with a Secret whose lifetime is over or that
 * no pod was seen to name. A failure in one namespace is logged and does not affect others. Replicas may sweep at the
 * same time: a Secret is changed or deleted only in the version that was checked, and every renewal makes a new
 * version.
 */
export async function sweepSecrets(options: SecretSweeperOptions, signal: AbortSignal): Promise<void> {
  const { written, hasLostBinding = () => false, clock, log } = options;
  const now = clock.now();
  const isDue = ({ namespace, owners, neededUntil, isNamed }: DeliveredSecret) => {
    if (hasLostBinding(namespace)) return isNamed !== false || now >= neededUntil;
    return now >= neededUntil && (owners.size === 0 || isNamed !== undefined);
  };
  // Read before the pods: a Secret that is renewed meanwhile has another version.
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

/** The names of delivered Secrets anywhere in the pods of a namespace that have not ended. */
async function namedByPods(
  client: Pick<KubeClient, "list">,
  namespace: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  const names = new Set<string>();
  let next: string | undefined;
  let limit = PAGE;
  do {
    const page = await client.list(PODS, { namespace, limit, continue: next }, { signal });
    for (const { spec, status } of page.items) {
      if (status?.phase === "Succeeded" || status?.phase === "Failed") continue;
      // All of the pod is searched, because later versions of Kubernetes may have further references to Secrets.
      for (const [name] of JSON.stringify(spec ?? {}).matchAll(OUR_NAMES)) names.add(name);
    }
    next = page.continue;
    limit = nextLimit(page, PAGE);
  } while (next !== undefined);
  return names;
}

/** Gives a Secret that a pod names the longer lifetime, unless it has it already. */
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

/** Deletes a Secret in this very version. False if it has changed. */
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

/** Sweeps every `everyMs`, at times that differ between replicas, until it is closed. */
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
