import type { CertificateSource } from "@flyte-secrets/certificates";
import { certificateNames, openCertificateSource } from "@flyte-secrets/certificates";
import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";

/** Which certificate the webhook serves with. */
export interface CertificateOptions {
  /**
   * The Service by which the API server calls the webhook, and its address from outside of the cluster; empty: none.
   */
  readonly serviceName: string;
  readonly url: string;
  /** Where somebody else's certificate files are, such as cert-manager's. */
  readonly certDir: string;
  /** Whether the webhook's own certificate is used all the same, and written there. */
  readonly localCert: boolean;
  /** The Secret that keeps a certificate of our making in a cluster, and the directory that keeps it elsewhere. */
  readonly secretName: string;
  readonly directory: string;
}

/** Where the webhook runs: in a namespace of a cluster, or on a machine that is part of none. */
export interface WebhookLocation {
  readonly client?: KubeClient | undefined;
  readonly namespace: string;
}

export interface OpenCertificatesOptions extends WebhookLocation {
  readonly clock: Clock;
  readonly log: Logger;
}

/** Opens the certificate that the webhook serves with. */
export function openCertificates(
  options: CertificateOptions,
  { client, namespace, clock, log }: OpenCertificatesOptions,
): Promise<CertificateSource> {
  const names = servedNames(options, { client, namespace });
  const home = client ? { client, namespace } : { directory: options.directory };
  return openCertificateSource({ settings: options, names, home, clock, log });
}

/**
 * The names that the certificate is for: those of the Service, of the address, and on a machine of its own that
 * machine's.
 */
export function servedNames(
  { serviceName, url }: CertificateOptions,
  { client, namespace }: WebhookLocation,
): string[] {
  const names = certificateNames({ name: serviceName, namespace }, url);
  return client ? names : [...new Set([...names, "localhost", "127.0.0.1"])];
}
