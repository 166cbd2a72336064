import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import type { ServingCertificate } from "./source.ts";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, in order. Throws for a block that is not a certificate. */
export function parseCertificates(pem: string): X509Certificate[] {
  return (pem.match(PEM_CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
}

/** Joins CA bundles: each certificate once, without those that expired before `now`. */
export function joinBundles(bundles: readonly string[], now: number): string {
  const certificates = bundles.flatMap(parseCertificates).filter((certificate) => endOf(certificate) > now);
  return [...new Set(certificates.map((certificate) => certificate.toString()))].join("");
}

/** Whether `bundle` includes every certificate of `part`, in any order and formatting. */
export function bundleIncludes(bundle: string, part: string): boolean {
  const there = new Set(fingerprints(bundle));
  return fingerprints(part).every((fingerprint) => there.has(fingerprint));
}

/** Whether a client that trusts the CAs of `ca` accepts the chain. Validity dates are not checked. */
export function isChainTrusted(chain: string, ca: string): boolean {
  const [leaf, ...intermediates] = parseCertificates(chain);
  const roots = parseCertificates(ca);
  const remaining = new Set(intermediates);
  let current = leaf;
  while (current !== undefined) {
    const certificate: X509Certificate = current;
    // Go and OpenSSL accept a self-signed certificate that is itself trusted.
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

/** The validity of a chain's first certificate, in milliseconds since 1970; NaN for a date that cannot be parsed. */
export function validityOf(chain: string): { readonly notBefore: number; readonly notAfter: number } {
  const [leaf] = parseCertificates(chain);
  if (leaf === undefined) return { notBefore: 0, notAfter: 0 };
  return { notBefore: Date.parse(leaf.validFrom), notAfter: endOf(leaf) };
}

/** The DNS names and IP addresses of a chain's first certificate; empty for text that is not a certificate. */
export function subjectAltNames(chain: string): string[] {
  const [leaf] = tryParse(chain);
  // Node quotes a name that has a comma or the like, which is no host name.
  return [...(leaf?.subjectAltName ?? "").matchAll(/(?:^|, )(?:DNS|IP Address):([^",]+)(?=, |$)/g)].map(
    ([, name = ""]) => name,
  );
}

/**
 * SHA-256 of the first certificate of a chain, as `openssl x509 -fingerprint` writes it; empty for text
 * that is not a certificate.
 */
export function fingerprintOf(chain: string): string {
  return tryParse(chain)[0]?.fingerprint256 ?? "";
}

/** Parsed from the text, since Node's `validToDate` is an arbitrary date where the text is none. */
function endOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

function fingerprints(bundle: string): string[] {
  return parseCertificates(bundle).map(({ fingerprint256 }) => fingerprint256);
}

/**
 * Returns why a certificate cannot be served, or undefined when it can. It checks what the API server checks, validity
 * dates and names included.
 */
export function validateCertificate(
  { cert, key, ca }: ServingCertificate,
  { names, now }: { readonly names: readonly string[]; readonly now: number },
): string | undefined {
  const [leaf] = tryParse(cert);
  if (leaf === undefined) return "its certificate is empty or no PEM";
  if (tryParse(ca).length === 0) return "its CA is no certificate";
  if (!isPair(leaf, key)) return "its certificate and key do not belong together";
  if (!isChainTrusted(cert, ca)) return "its CA did not issue its certificate";
  const { notBefore, notAfter } = validityOf(cert);
  if (Number.isNaN(notBefore) || Number.isNaN(notAfter)) return "its dates can't be read";
  if (now >= notAfter) return `it ended on ${new Date(notAfter).toISOString()}`;
  if (now < notBefore) return `it begins only on ${new Date(notBefore).toISOString()}`;
  if (!isChainTrusted(cert, joinBundles([ca], now))) return "its CA has expired, or its dates can't be read";
  const uncovered = names.find((name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) === undefined);
  return uncovered === undefined ? validateForServer(cert, key) : `it is not for the name ${uncovered}`;
}

/**
 * Returns why no server can be opened with a certificate and a key, or undefined when one can; issuer and dates are not
 * checked. Node itself accepts an empty text for either, and such a server answers no handshake.
 */
export function validateKeyPair({ cert, key }: Pick<ServingCertificate, "cert" | "key">): string | undefined {
  try {
    if (!isPair(new X509Certificate(cert), key)) return "its certificate and key do not belong together";
  } catch {
    return "its certificate is empty or no PEM";
  }
  return validateForServer(cert, key);
}

/** Returns why OpenSSL refuses a chain and its key. It also parses blocks that {@link parseCertificates} skips. */
function validateForServer(cert: string, key: string): string | undefined {
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
