import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { SecretsError } from "@flyte-secrets/core";

/** Whose TLS clients are served. */
export interface ClientCertificates {
  /** The CA that must have signed a client's certificate, in PEM. */
  readonly ca: string;
  /** Common names or DNS names, one of which the certificate must have. Empty: any will do. */
  readonly names: readonly string[];
}

/**
 * `webhook.clientCA`, the file of a CA, and `webhook.clientNames`; empty: clients of the admission need no certificate.
 */
export interface ClientCertificateOptions {
  readonly clientCA: string;
  readonly clientNames: readonly string[];
}

/**
 * What `webhook.clientCA` and `webhook.clientNames` ask of the API server; undefined when they ask for nothing. Throws
 * `invalid_config` for a file that can't be read or has no certificate, and for names without a CA.
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

/** Whether the certificate that a client has shown, which its CA has signed, has one of the names. */
export function hasClientName(socket: Pick<TLSSocket, "getPeerX509Certificate">, names: readonly string[]): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return false;
  const { CN } = certificate.toLegacyObject().subject;
  const commonNames = new Set([CN].flat());
  const exactly = { subject: "never", wildcards: false } as const;
  return names.some((name) => commonNames.has(name) || certificate.checkHost(name, exactly) !== undefined);
}
