import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import type { ServingCertificate } from "./source.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A year: renewal is automatic, and a key that leaked unnoticed is not valid for longer. */
export const LIFETIME_MS = 365 * DAY_MS;

/** Clocks of other machines may be behind. */
export const BACKDATED_MS = 10 * 60 * 1000;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/**
 * Issues a server certificate for DNS names and IP addresses, by a new CA, both ECDSA P-256. The key of the CA is
 * discarded at once, so that it signs nothing else, and a renewal has a new CA (W-22).
 */
export async function issueCertificate(options: {
  readonly names: readonly string[];
  readonly now: number;
}): Promise<ServingCertificate> {
  const { names, now } = options;
  // Loaded on demand, since few commands issue certificates. The library needs reflect-metadata loaded before it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const validity = { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + LIFETIME_MS) };
  // Positive, as RFC 5280 requires.
  const serial = () => `4${randomBytes(16).toString("hex").slice(1)}`;
  const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const { KeyUsageFlags } = x509;

  const caKeys = await newKeys();
  // Each CA has its own name, so that verifiers that find an issuer by name do not confuse two of them.
  const caName = `CN=flyte-secrets CA ${serial()}`;
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serial(),
    name: caName,
    keys: caKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  });
  const keys = await newKeys();
  const leaf = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: serial(),
    subject: `CN=${(names[0] ?? "").slice(0, 64)}`,
    issuer: caName,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    cert: `${leaf.toString("pem")}\n`,
    key: toPem(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)),
    ca: `${ca.toString("pem")}\n`,
  };
}

function toPem(pkcs8: ArrayBuffer): string {
  const lines =
    Buffer.from(pkcs8)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
