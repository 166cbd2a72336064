import type { Clock } from "@flyte-secrets/core";
import { datesOf, isTrusted, joinBundles } from "./chain.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

/** So long the registration with both CAs has to reach every API server before the new certificate is served. */
export const SETTLE_MS = 60_000;

/** What is served now, and what is to be served next. */
export interface CertificateRotator extends Pick<CertificateSource, "current" | "onChange"> {
  /**
   * Takes another certificate: at once when those who verify trust it already, or when the present one is no longer good.
   * Otherwise {@link CertificateSource.current} first gets the old and new CAs together, and the new certificate follows after
   * {@link SETTLE_MS}.
   */
  adopt(next: ServingCertificate): void;
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
    adopt(next) {
      if (isSame(next, target)) return;
      target = next;
      stop();
      const isServed = next.cert === serving.cert && next.key === serving.key;
      const ends = datesOf(serving.cert).end - clock.now();
      const keepsWorking = ends > SETTLE_MS && isTrusted(serving.cert, serving.ca);
      if (isServed || isTrusted(next.cert, serving.ca) || !keepsWorking) return serve(next);
      stop = clock.after(SETTLE_MS, () => serve(next));
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
