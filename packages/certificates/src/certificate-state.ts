import { bundleIncludes, isChainTrusted, parseCertificates, validateCertificate, validityOf } from "./chain.ts";
import type { ServingCertificate } from "./source.ts";

/** Old CAs are removed from the bundle this long after a rotation: every replica has rotated long before. */
const STALE_CA_MS = 60 * 60 * 1000;

/** What has to be done with a stored certificate. */
export type CertificateState =
  | { readonly kind: "absent" }
  | { readonly kind: "invalid"; readonly problem: string }
  | { readonly kind: "valid"; readonly certificate: ServingCertificate }
  | { readonly kind: "renewal-due"; readonly certificate: ServingCertificate; readonly notAfter: number }
  /** Its bundle has CAs of earlier certificates; `ca` is the bundle without them. */
  | { readonly kind: "stale-ca"; readonly certificate: ServingCertificate; readonly ca: string };

/** Evaluates a stored certificate: it must be for all `names`, and is renewed when a third of its lifetime is left. */
export function evaluateCertificate(
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
