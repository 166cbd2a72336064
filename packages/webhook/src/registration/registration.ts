import type { CertificateSource } from "@flyte-secrets/certificates";
import { isChainTrusted } from "@flyte-secrets/certificates";
import type { Clock } from "@flyte-secrets/core";
import { isSecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { runInformer } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { createWriteBackoff, startReconcileLoop } from "./reconcile-loop.ts";
import {
  type MutatingWebhookConfiguration,
  mergeRegistration,
  type RegistrationSettings,
  registeredBundle,
  WEBHOOK_CONFIGURATIONS,
} from "./webhook-configuration.ts";

/**
 * How often the registration is reconciled without a reported change, and CAs are removed that are no longer needed.
 */
const RESYNC_MS = 60 * 60 * 1000;

/** A write that failed is tried again after this at the latest. */
const MAX_RETRY_MS = 10_000;

export interface RegistrationOptions {
  readonly client: Pick<KubeClient, "list" | "watch" | "create" | "replace">;
  readonly settings: RegistrationSettings;
  readonly certificates: CertificateSource;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The webhook's registration with the API server. */
export interface Registration {
  /** For readiness: undefined while the API server has a registration that carries our CA, else what is missing. */
  missing(): string | undefined;
  close(): Promise<void>;
}

/**
 * Creates the `MutatingWebhookConfiguration` and keeps it as {@link mergeRegistration} makes it: with the CAs of the
 * certificates, and restored when somebody deletes or changes it, though ever more slowly while that goes on.
 */
export function reconcileRegistration(options: RegistrationOptions): Registration {
  const { client, settings, certificates, clock, log } = options;
  const label = `MutatingWebhookConfiguration ${settings.name}`;
  /** As the API server last reported it, so that a write never replaces a newer version. */
  let current: MutatingWebhookConfiguration | undefined;
  let failure: string | undefined;
  const backoff = createWriteBackoff(clock, () =>
    log.warn(`somebody keeps changing ${label}; it is put back more and more slowly`),
  );
  const desired = ({ prunesCas }: { readonly prunesCas: boolean }) =>
    mergeRegistration(current, settings, { ca: certificates.current().ca, prunesCas, now: clock.now() });

  async function reconcile({ isResync }: { readonly isResync: boolean }): Promise<void> {
    const wanted = desired({ prunesCas: isResync });
    if (wanted === current) return;
    backoff.recordWrite();
    log.info(`${current === undefined ? "creating" : "updating"} ${label}`);
    try {
      if (current === undefined) await client.create(WEBHOOK_CONFIGURATIONS, wanted);
      else await client.replace(WEBHOOK_CONFIGURATIONS, wanted);
      failure = undefined;
    } catch (error) {
      // Another client has written it, and the informer will report the new version.
      if (isSecretsError(error, "conflict", "already_exists", "not_found")) return;
      failure = error instanceof Error ? error.message : "unknown failure";
      log.warn({ err: error }, `${label} cannot be written`);
      loop.schedule(Math.min(backoff.nextDelayMs(), MAX_RETRY_MS));
    }
  }
  const loop = startReconcileLoop({ reconcile, resyncMs: RESYNC_MS, clock });

  function onChange(next: MutatingWebhookConfiguration | undefined): void {
    current = next;
    if (desired({ prunesCas: false }) !== current) loop.schedule(backoff.nextDelayMs());
  }
  const informer = runInformer({
    client,
    resource: WEBHOOK_CONFIGURATIONS,
    selector: { fieldSelector: `metadata.name=${settings.name}` },
    handler: { onReplace: ([first]) => onChange(first), onUpsert: onChange, onDelete: () => onChange(undefined) },
    clock,
    log,
  });
  // Without a delay: the new CA must be registered before the new certificate is served.
  const unsubscribe = certificates.onChange(() => loop.schedule(0));

  /** Whether the registration has the CA of the served certificate, which during a renewal is still the old one. */
  function carriesCa(): boolean {
    const bundle = current && registeredBundle(current);
    return bundle !== undefined && isChainTrusted(certificates.current().cert, bundle);
  }

  return {
    missing() {
      if (carriesCa()) return undefined;
      const why = failure ?? informer.problem();
      return `${label} does not carry the CA of our certificate${why === undefined ? "" : ` (${why})`}`;
    },
    async close() {
      unsubscribe();
      await Promise.all([informer.close(), loop.close()]);
    },
  };
}

/** Deletes the registration. False when there is none. */
export function removeRegistration(client: KubeClient, name: string): Promise<boolean> {
  return client.delete(WEBHOOK_CONFIGURATIONS, { name });
}
