import { type Clock, SecretsError } from "@flyte-secrets/core";
import { loadPrometheus } from "@flyte-secrets/http";
import type { ImagePullSecrets, SecretRefDeliveryOptions } from "@flyte-secrets/inject";
import { type KubeClient, openSharedKey } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Lifetimes } from "./delivered-secret.ts";
import { type DeliveredSecrets, watchDeliveredSecrets } from "./delivered-secrets.ts";
import { explainRefusals } from "./explain-refusals.ts";
import { createImagePullCopies } from "./image-pull-copies.ts";
import { createKubernetesSecretWriter } from "./kubernetes-secret-writer.ts";
import { type SecretSweeperOptions, startSweeping } from "./secret-sweeper.ts";
import { createWriteLimits, type WriteLimitSettings } from "./write-limits.ts";

/** How delivered Secrets are written and deleted: `webhook.writtenSecrets`. */
export interface WriterOptions extends WriteLimitSettings {
  /** The namespaces that are written to. Empty: all. */
  readonly namespaces: readonly string[];
  /** How long a Secret stays that pods have named, and one that no pod was ever seen to name; at least a minute. */
  readonly unusedFor: number;
  readonly unnamedFor: number;
  /** The Secret with the naming key. */
  readonly namingKeySecret: string;
  /** The namespace that image-pull Secrets are copied from. Undefined: none are copied. */
  readonly imagePullNamespace: string | undefined;
}

/** The parts that the writer uses. */
export interface WriterParts {
  readonly client: KubeClient;
  /** The webhook's own. */
  readonly namespace: string;
  /** See {@link SecretSweeperOptions}. */
  readonly hasLostBinding?: SecretSweeperOptions["hasLostBinding"];
  /** The registry of the metrics; without it there are none. */
  readonly registry?: Registry;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The writer of delivery SecretRef and the copies of image-pull Secrets. */
export interface OpenedSecretWriter extends Required<SecretRefDeliveryOptions> {
  /** Set with `imagePullSecrets.enabled`. */
  readonly imagePull?: ImagePullSecrets;
  /** Ends writes in flight, the watches and the sweeper. The Secrets stay. */
  close(): Promise<void>;
}

const SHORTEST_MS = 60_000;

/**
 * The number of sweeps within the lifetime of an unnamed Secret: a pod that names one is seen before the next admission
 * would renew it.
 */
const SWEEPS = 8;

/**
 * Opens the writer of `webhook.writtenSecrets`, and starts to delete Secrets that no pod needs any more. Throws
 * `invalid_config`, and what {@link openSharedKey} throws.
 */
export async function openSecretWriter(
  options: WriterOptions,
  { client, namespace, hasLostBinding, registry, clock, log }: WriterParts,
): Promise<OpenedSecretWriter> {
  const { namespaces, maxSecrets, imagePullNamespace: source } = options;
  const lifetimes = toLifetimes(options);
  const namingKey = await openSharedKey({ client, namespace, name: options.namingKeySecret });
  const closing = new AbortController();
  const follow = (followed: string | undefined) =>
    watchDeliveredSecrets({ client, namespace: followed, maxSecrets, clock, log });
  const everywhere = namespaces.length === 0 ? follow(undefined) : undefined;
  const listed = new Map(namespaces.map((each) => [each, follow(each)]));
  const written = everywhere ? [everywhere] : [...listed.values()];
  const metrics = registry && createWriterMetrics(registry, written);
  const limits = createWriteLimits({ settings: options, clock, onRefused: metrics?.refused });
  const deliveredIn = (target: string) => everywhere ?? listed.get(target);
  const copies =
    source === undefined
      ? undefined
      : createImagePullCopies({ client, source, written, deliveredIn, lifetimes, clock, log });
  const everyMs = lifetimes.unnamedMs / SWEEPS;
  const sweeper = startSweeping({ client, written, lifetimes, hasLostBinding, everyMs, clock, log });
  const explained = explainRefusals({
    client,
    writer: createKubernetesSecretWriter({ client, deliveredIn, lifetimes, limits, clock, signal: closing.signal }),
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

/** An unnamed Secret never stays longer than one that was named. */
function toLifetimes({ unusedFor, unnamedFor }: WriterOptions): Lifetimes {
  for (const [setting, ms] of Object.entries({ unusedFor, unnamedFor })) {
    if (ms >= SHORTEST_MS) continue;
    throw new SecretsError(
      "invalid_config",
      `webhook.writtenSecrets.${setting} must be 1m or more: a pod is only seen a while after its admission`,
    );
  }
  return { unusedMs: unusedFor, unnamedMs: Math.min(unnamedFor, unusedFor) };
}

/** Registers the metrics of delivered Secrets. Returns a counter of those that a limit refuses. */
function createWriterMetrics(
  registry: Registry,
  written: readonly DeliveredSecrets[],
): { refused(setting: keyof WriteLimitSettings): void } {
  const { Counter, Gauge } = loadPrometheus();
  new Gauge({
    name: "flyte_secrets_written_secrets",
    help: "Secrets that were written for pods, by whether a pod was seen that names them.",
    labelNames: ["named"],
    registers: [registry],
    // Every worker process counts all Secrets.
    aggregator: "max",
    collect() {
      let [secrets, unnamed] = [0, 0];
      for (const each of written) {
        const counts = each.countsOf();
        secrets += counts.secrets;
        unnamed += counts.unnamed;
      }
      this.set({ named: "true" }, secrets - unnamed);
      this.set({ named: "false" }, unnamed);
    },
  });
  const refused = new Counter({
    name: "flyte_secrets_written_secrets_refused_total",
    help: "Secrets that were not written since their namespace is over a limit, by setting of webhook.writtenSecrets.",
    labelNames: ["setting"],
    registers: [registry],
  });
  return { refused: (setting) => refused.inc({ setting }) };
}
