import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { datesOf, findFault, holdsBundle, isTrusted, joinBundles, parseCertificates, servedFor } from "./chain.ts";
import { makeCertificate } from "./make-certificate.ts";
import { createCertificateRotator } from "./rotator.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";
import type { CertificateStorage, StoredCertificate } from "./storage.ts";

/** Dates are looked at, and a keeper that told of no change is read, this often. */
export const CHECK_MS = 60 * 60 * 1000;

/** An old CA is dropped from the bundle this long after its successor came: every replica has changed long before. */
const OLD_CA_MS = 60 * 60 * 1000;

/** Between two reads after failures. */
const RETRY_MS = 10_000;

/** From a change to the reaction: bounds what two can do that undo each other's changes. */
export const REACTION_MS = 500;

const MAX_ATTEMPTS = 20;

export interface SelfMadeOptions {
  readonly keeper: CertificateStorage;
  /** DNS names and IP addresses that the certificate must be for. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** A source that can be told to renew ahead of time. */
export interface SelfSignedSource extends CertificateSource {
  /**
   * Puts a new certificate in the keeper now, which it gives. Every process that serves with the keeper's follows. It is for
   * the names of the one before, too: who renews may not know all by which the webhook is called.
   */
  renew(): Promise<ServingCertificate>;
}

/**
 * Serves with the certificate of a keeper and looks after it: makes one where there is none or none that is good, renews it
 * when a third of its time is left, and follows what others keep there. Of several processes that make one at once, the first
 * to keep it wins and the others take that. Throws `call_refused` when somebody else's certificate is there and no good, and
 * what the keeper throws.
 */
export async function openSelfSignedSource(options: SelfMadeOptions): Promise<SelfSignedSource> {
  const { keeper, clock, log } = options;
  const holder = createCertificateRotator(await settle(options), clock);

  let closed = false;
  let doing: "waiting" | "reacting" | "checking" = "waiting";
  let changed = false;
  let stopTimer = () => {};
  let running: Promise<void> | undefined;
  /** Looks after the keeper once `delayMs` have passed, in place of the next time that was planned. */
  const plan = (next: "waiting" | "reacting", delayMs: number) => {
    stopTimer();
    if (closed) return;
    doing = next;
    stopTimer = clock.after(delayMs, () => {
      running = check();
    });
  };
  const check = async () => {
    doing = "checking";
    changed = false;
    let nextMs = CHECK_MS;
    try {
      holder.adopt(await settle(options, { inUse: holder.current() }));
    } catch (error) {
      nextMs = RETRY_MS;
      log.warn({ err: error }, `${keeper.name} cannot be looked after; serving with the certificate in memory`);
    }
    // What changed meanwhile may have been read as it was before.
    if (changed) plan("reacting", REACTION_MS);
    else plan("waiting", nextMs);
  };
  plan("waiting", CHECK_MS);
  const stopListening = keeper.onChange(() => {
    changed = true;
    if (doing === "waiting") plan("reacting", REACTION_MS);
  });

  return {
    current: holder.current,
    onChange: holder.onChange,
    async renew() {
      const renewed = await settle(options, { inUse: holder.current(), renew: true });
      holder.adopt(renewed);
      return renewed;
    },
    async close() {
      closed = true;
      stopTimer();
      await stopListening();
      await running;
      holder.close();
    },
  };
}

interface SettleState {
  /** The certificate that this process serves with. */
  readonly inUse?: ServingCertificate;
  /** Put a new one there even if the kept one is good. */
  readonly renew?: boolean;
}

/** Brings the keeper into order and gives what it then holds. */
async function settle(options: SelfMadeOptions, state: SettleState = {}): Promise<ServingCertificate> {
  const { keeper } = options;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    // Whoever was quicker than we has renewed it, too.
    const renew = state.renew === true && attempt === 1;
    const kept = await keeper.read();
    const verdict = judge(kept, options);
    if (kept?.foreign) {
      if (verdict.kind === "faulty" || renew) throw notOurs(keeper, verdict);
      return kept.certificate;
    }
    if (verdict.kind === "good" && !renew) return verdict.certificate;
    const names = renew ? joinNames(options.names, kept) : options.names;
    const next = await findSuccessor(verdict, { ...state, renew }, { ...options, names });
    if (await (kept === undefined ? keeper.create(next) : kept.replace(next))) return next;
  }
  throw new SecretsError(
    "conflict",
    `${keeper.name} is changed again and again by others. Find out who does, and try again.`,
  );
}

/** What to keep in place of what was found. */
async function findSuccessor(
  verdict: Verdict,
  { inUse, renew }: SettleState,
  { keeper, names, clock, log }: SelfMadeOptions,
): Promise<ServingCertificate> {
  const now = clock.now();
  const make = async (why: string, oldCas: string) => {
    log.info(`making a certificate for ${keeper.name}: ${why}`);
    const made = await makeCertificate({ names, now });
    return { ...made, ca: joinBundles([made.ca, oldCas], now) };
  };
  switch (verdict.kind) {
    case "overfull":
      return { ...verdict.certificate, ca: verdict.ca };
    case "good":
      return make("it was asked for", verdict.certificate.ca);
    case "due":
      return make(`the present one ends on ${new Date(verdict.end).toISOString()}`, verdict.certificate.ca);
    case "absent":
    case "faulty": {
      // What other processes may be serving with is better put back than replaced.
      const isGood = inUse !== undefined && findFault(inUse, { names, now }) === undefined;
      if (isGood && renew !== true) {
        const why = verdict.kind === "absent" ? "was deleted" : `held another certificate, and ${verdict.fault}`;
        log.warn(`${keeper.name} ${why}: the certificate that is served was put back there`);
        return inUse;
      }
      return make(verdict.kind === "absent" ? "there is none" : verdict.fault, isGood ? inUse.ca : "");
    }
  }
}

/** A webhook has few names, and a certificate of unknown origin may have any number. */
const MAX_NAMES = 32;

function joinNames(names: readonly string[], kept: StoredCertificate | undefined): string[] {
  return [...new Set([...names, ...(kept ? servedFor(kept.certificate.cert) : [])])].slice(0, MAX_NAMES);
}

type Verdict =
  | { readonly kind: "absent" }
  | { readonly kind: "faulty"; readonly fault: string }
  | { readonly kind: "good"; readonly certificate: ServingCertificate }
  | { readonly kind: "due"; readonly certificate: ServingCertificate; readonly end: number }
  /** It holds CAs that nobody needs any more; `ca` is without them. */
  | { readonly kind: "overfull"; readonly certificate: ServingCertificate; readonly ca: string };

function judge(kept: StoredCertificate | undefined, { names, clock }: SelfMadeOptions): Verdict {
  if (kept === undefined) return { kind: "absent" };
  const { certificate } = kept;
  const now = clock.now();
  const fault = findFault(certificate, { names, now });
  if (fault !== undefined) return { kind: "faulty", fault };
  const { start, end } = datesOf(certificate.cert);
  if (now >= end - (end - start) / 3) return { kind: "due", certificate, end };
  const ca = ownCas(certificate);
  if (now >= start + OLD_CA_MS && !holdsBundle(ca, certificate.ca)) return { kind: "overfull", certificate, ca };
  return { kind: "good", certificate };
}

/** The CAs that the certificate needs itself. */
function ownCas({ cert, ca }: ServingCertificate): string {
  return parseCertificates(ca)
    .map((certificate) => certificate.toString())
    .filter((one) => isTrusted(cert, one))
    .join("");
}

function notOurs({ name }: CertificateStorage, verdict: Verdict): SecretsError {
  const fault = verdict.kind === "faulty" ? `, and ${verdict.fault}` : "";
  return new SecretsError(
    "call_refused",
    `${name} holds somebody else's certificate${fault}. Have it renewed by whoever made it, or delete it: then one is made.`,
  );
}
