import type { CertificateSource } from "@flyte-secrets/certificates";
import { certificateNames, openCertificateSource } from "@flyte-secrets/certificates";
import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";

/** Which certificate the webhook serves. */
export interface CertificateOptions {
  /**
   * The Service under which the API server calls the webhook, and its URL for a webhook outside of the cluster; empty:
   * none.
   */
  readonly serviceName: string;
  readonly url: string;
  /** The directory of certificate files of others, such as cert-manager. */
  readonly certDir: string;
  /** Whether a self-signed certificate is used nevertheless, and written there. */
  readonly localCert: boolean;
  /** The Secret that stores a self-signed certificate in a cluster, and the directory that stores it elsewhere. */
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

/** Opens the source of the webhook's certificate. */
export function openCertificates(
  options: CertificateOptions,
  { client, namespace, clock, log }: OpenCertificatesOptions,
): Promise<CertificateSource> {
  const names = servedNames(options, { client, namespace });
  const home = client ? { client, namespace } : { directory: options.directory };
  return openCertificateSource({ settings: options, names, home, clock, log });
}

/**
 * Returns the names of the certificate: those of the Service, of the URL, and outside of a cluster those of the
 * machine.
 */
export function servedNames(
  { serviceName, url }: CertificateOptions,
  { client, namespace }: WebhookLocation,
): string[] {
  const names = certificateNames({ name: serviceName, namespace }, url);
  return client ? names : [...new Set([...names, "localhost", "127.0.0.1"])];
}
