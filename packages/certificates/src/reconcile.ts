import { type Clock, SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import {
  bundleIncludes,
  isChainTrusted,
  joinBundles,
  parseCertificates,
  subjectAltNames,
  validateCertificate,
  validityOf,
} from "./chain.ts";
import { issueCertificate } from "./issue-certificate.ts";
import type { CertificateStorage, ServingCertificate, StoredCertificate } from "./source.ts";

const MAX_ATTEMPTS = 20;

/** A webhook has few names, while a certificate of unknown origin may have any number. */
const MAX_NAMES = 32;

export interface ReconcileOptions {
  readonly storage: CertificateStorage;
  /** DNS names and IP addresses that the certificate must have. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ReconcileRequest {
  /** The certificate that this process serves. */
  readonly served?: ServingCertificate;
  /** Whether to issue a new certificate even if the stored one is valid. */
  readonly renew?: boolean;
}

/**
 * Makes the stored certificate valid and returns it. Of several processes that do so at once, the first write wins and
 * the others return its result. Throws `call_refused` when a foreign certificate is stored and not valid, `conflict`
 * when others keep changing it, and whatever the storage throws.
 */
export async function reconcile(
  options: ReconcileOptions,
  request: ReconcileRequest = {},
): Promise<ServingCertificate> {
  const { storage, clock } = options;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    // After a lost race, the winner has renewed it.
    const renew = request.renew === true && attempt === 1;
    const stored = await storage.read();
    const state = evaluateCertificate(stored?.certificate, { names: options.names, now: clock.now() });
    if (stored?.foreign) {
      if (state.kind === "invalid" || renew) throw managedByOthers(storage, state);
      return stored.certificate;
    }
    if (state.kind === "valid" && !renew) return state.certificate;
    const names = renew ? joinNames(options.names, stored) : options.names;
    const next = await findSuccessor(state, { ...request, renew }, { ...options, names });
    if (await (stored === undefined ? storage.create(next) : stored.replace(next))) return next;
  }
  throw new SecretsError(
    "conflict",
    `${storage.name} is changed again and again by others. Find out who does, and try again.`,
  );
}

/** The certificate to store in place of one in this state. */
async function findSuccessor(
  state: CertificateState,
  { served, renew }: ReconcileRequest,
  { storage, names, clock, log }: ReconcileOptions,
): Promise<ServingCertificate> {
  const now = clock.now();
  const issue = async (why: string, oldCas: string) => {
    log.info(`issuing a certificate for ${storage.name}: ${why}`);
    const issued = await issueCertificate({ names, now });
    return { ...issued, ca: joinBundles([issued.ca, oldCas], now) };
  };
  switch (state.kind) {
    case "stale-ca":
      return { ...state.certificate, ca: state.ca };
    case "valid":
      return issue("it was asked for", state.certificate.ca);
    case "renewal-due":
      return issue(`the present one ends on ${new Date(state.notAfter).toISOString()}`, state.certificate.ca);
    case "absent":
    case "invalid": {
      // Other processes may be serving this certificate too, so it is restored rather than replaced.
      const isServedValid = served !== undefined && validateCertificate(served, { names, now }) === undefined;
      if (isServedValid && renew !== true) {
        const why = state.kind === "absent" ? "was deleted" : `held another certificate, and ${state.problem}`;
        log.warn(`${storage.name} ${why}: the served certificate was stored there again`);
        return served;
      }
      return issue(state.kind === "absent" ? "there is none" : state.problem, isServedValid ? served.ca : "");
    }
  }
}

function joinNames(names: readonly string[], stored: StoredCertificate | undefined): string[] {
  return [...new Set([...names, ...(stored ? subjectAltNames(stored.certificate.cert) : [])])].slice(0, MAX_NAMES);
}

function managedByOthers({ name }: CertificateStorage, state: CertificateState): SecretsError {
  const problem = state.kind === "invalid" ? `, and ${state.problem}` : "";
  return new SecretsError(
    "call_refused",
    `${name} holds somebody else's certificate${problem}. Have it renewed by whoever made it, or delete it: then ` +
      "one is made.",
  );
}

/** Old CAs are removed from the bundle this long after a rotation: every replica has rotated long before. */
const STALE_CA_MS = 60 * 60 * 1000;

/** What has to be done with a stored certificate. */
type CertificateState =
  | { readonly kind: "absent" }
  | { readonly kind: "invalid"; readonly problem: string }
  | { readonly kind: "valid"; readonly certificate: ServingCertificate }
  | { readonly kind: "renewal-due"; readonly certificate: ServingCertificate; readonly notAfter: number }
  /** Its bundle has CAs of earlier certificates; `ca` is the bundle without them. */
  | { readonly kind: "stale-ca"; readonly certificate: ServingCertificate; readonly ca: string };

/** Evaluates a stored certificate: it must be for all `names`, and is renewed when a third of its lifetime is left. */
function evaluateCertificate(
  certificate: ServingCertificate | undefined,
  { names, now }: { readonly names: readonly string[]; readonly now: number },
): CertificateState {
  if (certificate === undefined) return { kind: "absent" };
  const problem = validateCertificate(certificate, { names, now });
  if (problem !== undefined) return { kind: "invalid", problem };
  const { notBefore, notAfter } = validityOf(certificate.cert);
  if (now >= notAfter - (notAfter - notBefore) / 3) return { kind: "renewal-due", certificate, notAfter };
  const ca = issuersOf(certificate);
  if (now >= notBefore + STALE_CA_MS && !bundleIncludes(ca, certificate.ca))
    return { kind: "stale-ca", certificate, ca };
  return { kind: "valid", certificate };
}

/** The CAs of the bundle that the certificate itself needs. */
function issuersOf({ cert, ca }: ServingCertificate): string {
  return parseCertificates(ca)
    .map((certificate) => certificate.toString())
    .filter((one) => isChainTrusted(cert, one))
    .join("");
}
