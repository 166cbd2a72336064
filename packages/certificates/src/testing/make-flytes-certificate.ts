import "reflect-metadata";
import { KeyObject, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { ServingCertificate } from "../source.ts";

const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
};
const YEARS_MS = 99 * 365 * 86_400_000;

/** A certificate such as Flyte makes: RSA, its key in PKCS #1, for 99 years, with no key identifiers. */
export async function makeFlytesCertificate(names: readonly string[]): Promise<ServingCertificate> {
  const newKeys = () => webcrypto.subtle.generateKey(RSA, true, ["sign", "verify"]);
  const [caKeys, keys] = [await newKeys(), await newKeys()];
  const dates = { notBefore: new Date(), notAfter: new Date(Date.now() + YEARS_MS), signingAlgorithm: RSA };
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...dates,
    name: "O=flyte.org",
    keys: caKeys,
    extensions: [
      new BasicConstraintsExtension(true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign),
    ],
  });
  const leaf = await X509CertificateGenerator.create({
    ...dates,
    subject: `CN=${names.at(-1)}, O=flyte.org`,
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    extensions: [
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth, ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
    ],
  });
  return {
    cert: leaf.toString("pem"),
    key: KeyObject.from(keys.privateKey).export({ type: "pkcs1", format: "pem" }).toString(),
    ca: ca.toString("pem"),
  };
}
