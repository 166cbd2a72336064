import { type ReconcileOptions, reconcile } from "./reconcile.ts";
import { createCertificateRotator } from "./rotator.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

/**
 * Interval of reconciling without a reported change, for the certificate's dates and for changes that were not
 * reported.
 */
export const RECONCILE_INTERVAL_MS = 60 * 60 * 1000;

/** Delay before reconciling again after a failure. */
const RETRY_MS = 10_000;

/**
 * Delay from a reported change to reconciling: it bounds the rate at which two processes can undo each other's changes.
 */
export const REACTION_MS = 500;

/** A source that can renew its certificate ahead of time. */
export interface SelfSignedSource extends CertificateSource {
  /**
   * Stores a new certificate now, and returns it; every process that serves the stored certificate follows. The new one
   * also has the names of the old one, since the caller may not know all names by which the webhook is called.
   */
  renew(): Promise<ServingCertificate>;
}

/**
 * Serves the certificate of a storage and maintains it: it issues one where none is valid, renews it when a third of
 * its lifetime is left, and follows what other processes store. Throws as {@link reconcile} does.
 */
export async function openSelfSignedSource(options: ReconcileOptions): Promise<SelfSignedSource> {
  const { storage, log } = options;
  const rotator = createCertificateRotator(await reconcile(options), options.clock);
  const loop = startReconcileLoop(options, async () => {
    try {
      rotator.rotateTo(await reconcile(options, { served: rotator.current() }));
      return RECONCILE_INTERVAL_MS;
    } catch (error) {
      log.warn({ err: error }, `${storage.name} cannot be reconciled, serving with the certificate in memory`);
      return RETRY_MS;
    }
  });

  return {
    current: rotator.current,
    onChange: rotator.onChange,
    async renew() {
      const renewed = await reconcile(options, { served: rotator.current(), renew: true });
      rotator.rotateTo(renewed);
      return renewed;
    },
    async close() {
      await loop.close();
      rotator.close();
    },
  };
}

/**
 * Runs `step`, which returns the delay until the next run, and soon after each change of the storage; never twice at
 * the same time.
 */
function startReconcileLoop(
  { storage, clock }: Pick<ReconcileOptions, "storage" | "clock">,
  step: () => Promise<number>,
): { close(): Promise<void> } {
  let closed = false;
  let phase: "waiting" | "reacting" | "running" = "waiting";
  let hasChanged = false;
  let stopTimer = () => {};
  let running: Promise<void> | undefined;

  /** Replaces the scheduled run. */
  const schedule = (next: "waiting" | "reacting", delayMs: number) => {
    stopTimer();
    if (closed) return;
    phase = next;
    stopTimer = clock.after(delayMs, () => {
      running = run();
    });
  };
  const run = async () => {
    phase = "running";
    hasChanged = false;
    const nextMs = await step();
    // A change during the step may not have been read by it.
    if (hasChanged) schedule("reacting", REACTION_MS);
    else schedule("waiting", nextMs);
  };
  schedule("waiting", RECONCILE_INTERVAL_MS);
  const stopListening = storage.onChange(() => {
    hasChanged = true;
    if (phase === "waiting") schedule("reacting", REACTION_MS);
  });

  return {
    async close() {
      closed = true;
      stopTimer();
      await stopListening();
      await running;
    },
  };
}
