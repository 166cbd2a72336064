import type { Clock } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { fingerprintOf, isChainTrusted, joinBundles, validateKeyPair, validityOf } from "./chain.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

/** Time for a registration with both CAs to reach every API server, before the new certificate is served. */
export const CA_PROPAGATION_MS = 60_000;

/** Replaces the certificate that is served without a client ever seeing one that it does not trust yet. */
export interface CertificateRotator extends Pick<CertificateSource, "current" | "onChange"> {
  /**
   * Rotates to another certificate: at once when clients trust it already, or when the present one is no longer valid.
   * Otherwise {@link CertificateSource.current} first has the old and the new CAs together, and the new certificate
   * follows after {@link CA_PROPAGATION_MS}.
   */
  rotateTo(next: ServingCertificate): void;
  close(): void;
}

export function createCertificateRotator(first: ServingCertificate, clock: Clock): CertificateRotator {
  let serving = first;
  let target = first;
  let stop = () => {};
  const listeners = new Set<() => void>();
  const serve = (certificate: ServingCertificate) => {
    serving = certificate;
    for (const listener of listeners) listener();
  };
  return {
    current: () => serving,
    onChange(listener) {
      const entry = () => listener();
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
    rotateTo(next) {
      if (isSame(next, target)) return;
      target = next;
      stop();
      const isServed = next.cert === serving.cert && next.key === serving.key;
      const remainingMs = validityOf(serving.cert).notAfter - clock.now();
      const keepsWorking = remainingMs > CA_PROPAGATION_MS && isChainTrusted(serving.cert, serving.ca);
      if (isServed || isChainTrusted(next.cert, serving.ca) || !keepsWorking) return serve(next);
      stop = clock.after(CA_PROPAGATION_MS, () => serve(next));
      serve({ ...serving, ca: joinBundles([next.ca, serving.ca], clock.now()) });
    },
    close() {
      stop();
      listeners.clear();
    },
  };
}

function isSame(one: ServingCertificate, other: ServingCertificate): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca;
}

type Pair = Pick<ServingCertificate, "cert" | "key">;

export interface Replacement {
  /** The source's current certificate. */
  readonly next: Pair;
  readonly listeners: readonly { replaceCertificate(tls: Pair): void }[];
  readonly log: Logger;
  /** {@link fingerprintOf} the certificate that new connections get. */
  readonly served: string;
}

/**
 * Makes listeners serve new connections with another certificate, and returns its fingerprint. A pair that no server
 * can be opened with, such as a key that was replaced before its certificate, leaves the old one in use everywhere,
 * which is logged. It does not throw: sources call their listeners from timers, where an error would end the process.
 */
export function replaceCertificate({ next, listeners, log, served }: Replacement): string {
  const problem = validateKeyPair(next);
  if (problem !== undefined) {
    log.warn({ sha256: served }, `the new certificate cannot be used, serving with the old one: ${problem}`);
    return served;
  }
  for (const listener of listeners) listener.replaceCertificate(next);
  const sha256 = fingerprintOf(next.cert);
  // A source also reports changes of CAs alone: the registration gets a new CA before its certificate is served.
  if (sha256 === served) log.info({ sha256 }, "the CAs to register have changed; the served certificate has not");
  else log.info({ sha256, before: served }, "serving with another certificate");
  return sha256;
}
