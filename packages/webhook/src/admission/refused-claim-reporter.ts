import type { Clock } from "@flyte-secrets/core";
import { excerpt } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { RefusedClaim } from "../binding/pod-claim.ts";

/** The same claim is logged again after this time. */
const WINDOW_MS = 600_000;
/** How many claims are logged within that time: creators of pods choose their labels. */
const MAX_LOGGED = 100;

export interface RefusedClaimReporterOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Called for each pod. */
  readonly count: (refused: RefusedClaim) => void;
}

/**
 * Counts and logs pods that `webhook.scopeBinding` refuses, or would refuse with `mode: enforce`. Each claim of a
 * namespace is logged once in 10 minutes, and at most 100 claims together. Refused pods are only counted, since a
 * rejection has a log line of its own.
 */
export function createRefusedClaimReporter({
  log,
  clock,
  count,
}: RefusedClaimReporterOptions): (refused: RefusedClaim) => void {
  const logged = new Set<string>();
  let since = clock.elapsed();
  return (refused) => {
    count(refused);
    const { creation, refusal, warnOnly } = refused;
    if (!warnOnly) return;
    if (clock.elapsed() - since >= WINDOW_MS) {
      logged.clear();
      since = clock.elapsed();
    }
    if (logged.size >= MAX_LOGGED) return;
    const { namespace } = creation;
    const { project = "", domain = "" } = creation.pod.metadata?.labels ?? {};
    const key = JSON.stringify([namespace, project, domain, refusal.rule]);
    if (logged.has(key)) return;
    logged.add(key);
    const about = {
      namespace: excerpt(namespace),
      project: excerpt(project),
      domain: excerpt(domain),
      rule: refusal.rule,
      reason: refusal.error.message,
    };
    log.warn(about, "webhook.scopeBinding.mode enforce would refuse this pod");
    if (logged.size === MAX_LOGGED) {
      log.warn({ claims: MAX_LOGGED }, "further claims are counted and not logged for up to 10 minutes");
    }
  };
}
