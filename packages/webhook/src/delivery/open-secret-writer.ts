import type { Config } from "@flyte-secrets/config";
import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { ImagePullSecrets, SecretRefDeliveryOptions } from "@flyte-secrets/inject";
import type { KubeClient } from "@flyte-secrets/kube";
import { openSharedKey } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Lifetimes } from "./delivered-secret.ts";
import { watchDeliveredSecrets } from "./delivered-secrets.ts";
import { explainRefusals } from "./explain-refusals.ts";
import { createImagePullCopies } from "./image-pull-copies.ts";
import { createKubernetesSecretWriter } from "./kubernetes-secret-writer.ts";
import { type SecretSweeperOptions, startSweeping } from "./secret-sweeper.ts";
import { createWriteLimits } from "./write-limits.ts";
import { createWriterMetrics } from "./writer-metrics.ts";

export interface OpenSecretWriterOptions {
  readonly client: KubeClient;
  /** The webhook's own. */
  readonly namespace: string;
  /** See {@link SecretSweeperOptions}. */
  readonly hasLostBinding?: SecretSweeperOptions["hasLostBinding"];
  /** Where metrics are registered; without it, none are. */
  readonly registry?: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The Secret with the key by which the names of written Secrets are made, in the webhook's namespace. */
export function namingKeySecret({ secretName }: Config["webhook"]): string {
  return `${secretName}-naming`;
}

/** What delivery SecretRef and image-pull Secrets need in a cluster. */
export interface OpenedSecretWriter extends Required<SecretRefDeliveryOptions> {
  /** Where `imagePullSecrets.enabled`. */
  readonly imagePull?: ImagePullSecrets;
  /** Ends writes under way, the watches and the sweeper. The Secrets stay. */
  close(): Promise<void>;
}

const SHORTEST_MS = 60_000;

/** Sweeps in the time after which an unnamed Secret goes: a pod that names one is seen before its next admission has to note the need. */
const SWEEPS = 8;

/**
 * Opens the writer that `webhook.writtenSecrets` describes, and starts collecting what it wrote and nobody needs any more. Throws
 * `invalid_config`, and what {@link openSharedKey} does.
 */
export async function openSecretWriter(
  { webhook, secret }: Config,
  { client, namespace, hasLostBinding, registry, clock, log }: OpenSecretWriterOptions,
): Promise<OpenedSecretWriter> {
  const { namespaces, maxSecrets } = webhook.writtenSecrets;
  const lifetimes = toLifetimes(webhook.writtenSecrets);
  const namingKey = await openSharedKey({ client, namespace, name: namingKeySecret(webhook) });
  const closing = new AbortController();
  const follow = (followed: string | undefined) =>
    watchDeliveredSecrets({ client, namespace: followed, maxSecrets, clock, log });
  const everywhere = namespaces.length === 0 ? follow(undefined) : undefined;
  const listed = new Map(namespaces.map((each) => [each, follow(each)]));
  const written = everywhere ? [everywhere] : [...listed.values()];
  const metrics = registry && createWriterMetrics(registry, written);
  const limits = createWriteLimits({ settings: webhook.writtenSecrets, clock, onRefused: metrics?.refused });
  const writtenIn = (target: string) => everywhere ?? listed.get(target);
  const copies = webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled
    ? createImagePullCopies({ client, source: secret.imagePullNamespace, written, writtenIn, lifetimes, clock, log })
    : undefined;
  const everyMs = lifetimes.unnamedMs / SWEEPS;
  const sweeper = startSweeping({ client, written, lifetimes, hasLostBinding, everyMs, clock, log });
  const explained = explainRefusals({
    client,
    writer: createKubernetesSecretWriter({ client, writtenIn, lifetimes, limits, clock, signal: closing.signal }),
    imagePull: copies,
  });
  return {
    namingKey,
    writer: explained.writer,
    ...(explained.imagePull && { imagePull: explained.imagePull }),
    async close() {
      closing.abort();
      await Promise.all([copies?.close(), sweeper.close(), ...written.map((each) => each.close())]);
    },
  };
}

/** One that is never named goes no later than one that was. */
function toLifetimes({ unusedFor, unnamedFor }: Config["webhook"]["writtenSecrets"]): Lifetimes {
  for (const [setting, ms] of Object.entries({ unusedFor, unnamedFor })) {
    if (ms >= SHORTEST_MS) continue;
    throw new SecretsError(
      "invalid_config",
      `webhook.writtenSecrets.${setting} must be 1m or more: a pod is only seen a while after its admission`,
    );
  }
  return { unusedMs: unusedFor, unnamedMs: Math.min(unnamedFor, unusedFor) };
}
