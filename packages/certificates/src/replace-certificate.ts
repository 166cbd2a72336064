import type { Logger } from "pino";
import { findPairFault, fingerprintOf } from "./chain.ts";
import type { ServingCertificate } from "./source.ts";

type Pair = Pick<ServingCertificate, "cert" | "key">;

export interface Replacement {
  /** What the source gives now. */
  readonly next: Pair;
  readonly listeners: readonly { replaceCertificate(tls: Pair): void }[];
  readonly log: Logger;
  /** {@link fingerprintOf} what new connections get. */
  readonly served: string;
}

/**
 * Has the listeners serve new connections with another certificate, and gives its fingerprint. A pair that no server can be
 * opened with, such as a key that was replaced before its certificate, leaves the old one in use everywhere, which is
 * logged. Called when a source tells of a change, often out of a timer: a failure there would end the process.
 */
export function replaceCertificate({ next, listeners, log, served }: Replacement): string {
  const fault = findPairFault(next);
  if (fault !== undefined) {
    log.warn({ sha256: served }, `the new certificate cannot be used, serving with the old one: ${fault}`);
    return served;
  }
  for (const listener of listeners) listener.replaceCertificate(next);
  const sha256 = fingerprintOf(next.cert);
  // A source also tells of CAs alone, which the registration gets before the certificate of a new one is served.
  if (sha256 === served) log.info({ sha256 }, "other CAs are to be registered; the certificate that is served stays");
  else log.info({ sha256, before: served }, "serving with another certificate");
  return sha256;
}
