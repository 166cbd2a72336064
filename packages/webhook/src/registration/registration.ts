import type { CertificateSource } from "@flyte-secrets/certificates";
import { isTrusted } from "@flyte-secrets/certificates";
import type { Clock } from "@flyte-secrets/core";
import { isSecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { runInformer } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import {
  type MutatingWebhookConfiguration,
  mergeRegistration,
  type RegistrationSettings,
  registeredBundle,
  WEBHOOK_CONFIGURATIONS,
} from "./webhook-configuration.ts";

/** Looked after without any sign of a change, and CAs that are no longer needed are removed, this often. */
const TIDY_MS = 60 * 60 * 1000;

/** The wait before a write doubles while others keep undoing ours, within these. */
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

/** A write that failed is tried again after this at the latest. */
const LONGEST_RETRY_MS = 10_000;

/** After a write that stood for so long the next is a first one again. */
const CALM_MS = 10 * 60 * 1000;

export interface RegistrationOptions {
  readonly client: Pick<KubeClient, "list" | "watch" | "create" | "replace">;
  readonly settings: RegistrationSettings;
  readonly certificates: CertificateSource;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The webhook's registration with the API server, kept in order. */
export interface Registration {
  /** For readiness: undefined while the API server has a registration that carries our CA, else what is missing. */
  missing(): string | undefined;
  close(): Promise<void>;
}

/**
 * Creates the `MutatingWebhookConfiguration` and keeps it as {@link mergeRegistration} has it: in step with the certificates' CAs,
 * and put back when somebody deletes or changes it, though ever more slowly when that goes on.
 */
export function keepRegistration(options: RegistrationOptions): Registration {
  const { client, settings, certificates, clock, log } = options;
  const what = `MutatingWebhookConfiguration ${settings.name}`;
  // Both as the API server last told it, so that nothing older ever takes the place of something newer.
  let found: MutatingWebhookConfiguration | undefined;
  let carriesCa = false;
  let failure: string | undefined;
  let writes = 0;
  let wroteAt = Number.NEGATIVE_INFINITY;
  let running = Promise.resolve();
  let closed = false;

  const merge = (exactly: boolean) =>
    mergeRegistration(found, settings, { ca: certificates.current().ca, exactly, now: clock.now() });

  async function reconcile(exactly: boolean): Promise<void> {
    const wanted = merge(exactly);
    if (wanted === found) return;
    writes += 1;
    wroteAt = clock.elapsed();
    try {
      log.info(found === undefined ? `creating ${what}` : `updating ${what}`);
      await (found === undefined
        ? client.create(WEBHOOK_CONFIGURATIONS, wanted)
        : client.replace(WEBHOOK_CONFIGURATIONS, wanted));
      failure = undefined;
    } catch (error) {
      // Somebody else was quicker, and the follower will tell what they did.
      if (isSecretsError(error, "conflict", "already_exists", "not_found")) return;
      failure = error instanceof Error ? error.message : "unknown failure";
      log.warn({ err: error }, `${what} cannot be written`);
      planWrite(Math.min(waitMs(), LONGEST_RETRY_MS));
    }
  }

  /** One at a time. */
  const enqueue = (exactly: boolean) => {
    running = running.then(() => (closed ? undefined : reconcile(exactly)));
  };
  let stopWrite = () => {};
  const planWrite = (delayMs: number) => {
    stopWrite();
    if (!closed) stopWrite = clock.after(delayMs, () => enqueue(false));
  };
  let stopTidy = () => {};
  const planTidy = () => {
    stopTidy = clock.after(TIDY_MS, () => {
      enqueue(true);
      planTidy();
    });
  };

  function waitMs(): number {
    if (clock.elapsed() - wroteAt > CALM_MS) writes = 0;
    if (writes === 0) return 0;
    if (writes === 5) log.warn(`somebody keeps changing ${what}; it is put back more and more slowly`);
    return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** writes);
  }

  const onChange = (next: MutatingWebhookConfiguration | undefined) => {
    found = next;
    look();
    if (merge(false) !== found) planWrite(waitMs());
  };
  const look = () => {
    const bundle = found && registeredBundle(found);
    // Not whether it has the whole bundle: what is served during a renewal is still the old certificate.
    carriesCa = bundle !== undefined && isTrusted(certificates.current().cert, bundle);
  };
  const informer = runInformer({
    client,
    resource: WEBHOOK_CONFIGURATIONS,
    selector: { fieldSelector: `metadata.name=${settings.name}` },
    handler: { onReplace: ([first]) => onChange(first), onUpsert: onChange, onDelete: () => onChange(undefined) },
    clock,
    log,
  });
  const stopListening = certificates.onChange(() => {
    look();
    // The new CA must be there before the new certificate is served, so nothing holds this one back.
    planWrite(0);
  });
  planTidy();

  return {
    missing() {
      if (carriesCa) return undefined;
      const why = failure ?? informer.problem();
      return `${what} does not carry the CA of our certificate${why === undefined ? "" : ` (${why})`}`;
    },
    async close() {
      closed = true;
      stopWrite();
      stopTidy();
      stopListening();
      await informer.close();
      await running;
    },
  };
}

/** Deletes the registration. False when there is none. */
export function removeRegistration(client: KubeClient, name: string): Promise<boolean> {
  return client.delete(WEBHOOK_CONFIGURATIONS, { name });
}
