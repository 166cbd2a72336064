import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { BasicConstraintsExtension, X509CertificateGenerator } from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A server certificate that an intermediate CA issued, which a root issued; each in PEM. */
export async function makeChain(): Promise<{ root: string; intermediate: string; leaf: string }> {
  const [rootKeys, middleKeys, leafKeys] = [await newKeys(), await newKeys(), await newKeys()];
  const isCa = [new BasicConstraintsExtension(true, undefined, true)];
  const issue = (subject: string, publicKey: webcrypto.CryptoKey, issuer: { name: string; key: webcrypto.CryptoKey }) =>
    X509CertificateGenerator.create({
      subject,
      issuer: issuer.name,
      publicKey,
      signingKey: issuer.key,
      signingAlgorithm: ALGORITHM,
      ...(subject !== "CN=leaf" && { extensions: isCa }),
    });
  const root = { name: "CN=root", key: rootKeys.privateKey };
  return {
    root: (await issue("CN=root", rootKeys.publicKey, root)).toString("pem"),
    intermediate: (await issue("CN=middle", middleKeys.publicKey, root)).toString("pem"),
    leaf: (await issue("CN=leaf", leafKeys.publicKey, { name: "CN=middle", key: middleKeys.privateKey })).toString(
      "pem",
    ),
  };
}

function newKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}
