import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { SecretsError } from "@flyte-secrets/core";

/** Which TLS clients are accepted. */
export interface ClientCertificates {
  /** The CA that must have signed a client's certificate, in PEM. */
  readonly ca: string;
  /**
   * Common names or DNS names, one of which the certificate must have. Empty: every certificate of the CA is accepted.
   */
  readonly names: readonly string[];
}

/** `webhook.clientCA`, a file with a CA, and `webhook.clientNames`. Empty: clients need no certificate. */
export interface ClientCertificateOptions {
  readonly clientCA: string;
  readonly clientNames: readonly string[];
}

/**
 * Reads `webhook.clientCA` and `webhook.clientNames`; undefined when neither is set. Throws `invalid_config` for a file
 * that can't be read or has no certificate, and for names without a CA.
 */
export function readClientCertificates({
  clientCA,
  clientNames,
}: ClientCertificateOptions): ClientCertificates | undefined {
  if (clientCA === "") {
    if (clientNames.length === 0) return undefined;
    throw new SecretsError("invalid_config", "webhook.clientNames needs webhook.clientCA beside it");
  }
  try {
    const ca = readFileSync(clientCA, "utf8");
    new X509Certificate(ca);
    return { ca, names: clientNames };
  } catch (cause) {
    const message = `webhook.clientCA: ${clientCA} is no file with a PEM certificate`;
    throw new SecretsError("invalid_config", message, { cause });
  }
}

/** Whether the client's certificate, which the CA has signed, has one of the names. */
export function hasClientName(socket: Pick<TLSSocket, "getPeerX509Certificate">, names: readonly string[]): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return false;
  const { CN } = certificate.toLegacyObject().subject;
  const commonNames = new Set([CN].flat());
  const exactly = { subject: "never", wildcards: false } as const;
  return names.some((name) => commonNames.has(name) || certificate.checkHost(name, exactly) !== undefined);
}
