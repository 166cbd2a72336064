import type { Clock } from "@flyte-secrets/core";
import { excerpt } from "@flyte-secrets/core";
import type { Logger } from "pino";
import type { RefusedClaim } from "../binding/pod-claim.ts";

/** After which the same claim is logged again. */
const WINDOW_MS = 600_000;
/** How many claims are logged within that time. Whoever creates pods chooses their labels. */
const MAX_LOGGED = 100;

export interface RefusedClaimsOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Counts each pod. */
  readonly count: (refused: RefusedClaim) => void;
}

/**
 * Notes pods that `webhook.scopeBinding` refuses, or would with `mode: enforce`: each is counted, and each claim of a
 * namespace is logged once in 10 minutes, 100 at the most. Rejected pods are counted only, since a rejection has a line
 * of its own.
 */
export function createRefusedClaims({ log, clock, count }: RefusedClaimsOptions): (refused: RefusedClaim) => void {
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
