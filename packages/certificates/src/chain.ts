import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import type { ServingCertificate } from "./source.ts";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM text, in order. Throws for a block that is none. */
export function parseCertificates(pem: string): X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

/** Several bundles as one, each certificate once, without those that ended before `now`. */
export function joinBundles(bundles: readonly string[], now: number): string {
  const certificates = bundles.flatMap(parseCertificates).filter((certificate) => endOf(certificate) > now);
  return [...new Set(certificates.map((certificate) => certificate.toString()))].join("");
}

/** Whether every certificate of `part` is in `bundle`, whatever their order and formatting. */
export function holdsBundle(bundle: string, part: string): boolean {
  const there = new Set(fingerprints(bundle));
  return fingerprints(part).every((fingerprint) => there.has(fingerprint));
}

/** Whether a client that trusts the CAs of `ca` accepts the chain, dates aside. */
export function isTrusted(chain: string, ca: string): boolean {
  const [leaf, ...intermediates] = parseCertificates(chain);
  const roots = parseCertificates(ca);
  const remaining = new Set(intermediates);
  let current = leaf;
  while (current !== undefined) {
    const certificate: X509Certificate = current;
    // Go and OpenSSL take a self-signed certificate that is itself trusted.
    if (roots.some((root) => isIssuedBy(certificate, root) || root.fingerprint256 === certificate.fingerprint256)) {
      return true;
    }
    current = [...remaining].find((candidate) => isIssuedBy(certificate, candidate));
    if (current !== undefined) remaining.delete(current);
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/**
 * When the first certificate of a chain begins and ends to be valid, in milliseconds since 1970; NaN for what is no
 * date.
 */
export function datesOf(chain: string): { readonly start: number; readonly end: number } {
  const [leaf] = parseCertificates(chain);
  if (leaf === undefined) return { start: 0, end: 0 };
  return { start: Date.parse(leaf.validFrom), end: endOf(leaf) };
}

/** The DNS names and IP addresses that the first certificate of a chain is for; none for what is no certificate. */
export function servedFor(chain: string): string[] {
  const [leaf] = tryParse(chain);
  // Node quotes a name that has a comma or the like: nobody is called by such a one.
  return [...(leaf?.subjectAltName ?? "").matchAll(/(?:^|, )(?:DNS|IP Address):([^",]+)(?=, |$)/g)].map(
    ([, name = ""]) => name,
  );
}

/** SHA-256 of the first certificate of a chain, as `openssl x509 -fingerprint` writes it; empty for what is none. */
export function fingerprintOf(chain: string): string {
  return tryParse(chain)[0]?.fingerprint256 ?? "";
}

/** By the text: of what is no date, Node's `validToDate` is any date at all. */
function endOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function fingerprints(bundle: string): string[] {
  return parseCertificates(bundle).map(({ fingerprint256 }) => fingerprint256);
}

/** Why a certificate can't be served with, undefined when it can: dates and names are those that the API server checks. */
export function findFault(
  { cert, key, ca }: ServingCertificate,
  { names, now }: { readonly names: readonly string[]; readonly now: number },
): string | undefined {
  const [leaf] = tryParse(cert);
  if (leaf === undefined) return "its certificate is none";
  if (tryParse(ca).length === 0) return "its CA is no certificate";
  if (!isPair(leaf, key)) return "its certificate and key do not belong together";
  if (!isTrusted(cert, ca)) return "its CA did not issue its certificate";
  const { start, end } = datesOf(cert);
  if (Number.isNaN(start) || Number.isNaN(end)) return "its dates can't be read";
  if (now >= end) return `it ended on ${new Date(end).toISOString()}`;
  if (now < start) return `it begins only on ${new Date(start).toISOString()}`;
  if (!isTrusted(cert, joinBundles([ca], now))) return "its CA has ended, or its dates can't be read";
  const uncovered = names.find((name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) === undefined);
  return uncovered === undefined ? servingFault(cert, key) : `it is not for the name ${uncovered}`;
}

/**
 * Why no server can be opened with a certificate and a key, whoever issued it and for how long; undefined when one can. Node
 * itself takes an empty text for either, and such a server answers no handshake.
 */
export function findPairFault({ cert, key }: Pick<ServingCertificate, "cert" | "key">): string | undefined {
  try {
    if (!isPair(new X509Certificate(cert), key)) return "its certificate and key do not belong together";
  } catch {
    return "its certificate is none";
  }
  return servingFault(cert, key);
}

/** What OpenSSL has against a chain and its key; it reads blocks that were passed over here. */
function servingFault(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(":").at(-1) : error;
    return `a server can't be opened with it: ${reason}`;
  }
}

function tryParse(pem: string): X509Certificate[] {
  try {
    return parseCertificates(pem);
  } catch {
    return [];
  }
}

function isPair(leaf: X509Certificate, key: string): boolean {
  try {
    return leaf.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
