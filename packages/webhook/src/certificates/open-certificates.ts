import { join } from "node:path";
import type { CertificateSource } from "@flyte-secrets/certificates";
import { certificateNames, openCertificateSource } from "@flyte-secrets/certificates";
import type { Config } from "@flyte-secrets/config";
import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";

/** Where the webhook runs: in a namespace of a cluster, or on a machine that is part of none. */
export interface WebhookPlace {
  readonly client?: KubeClient | undefined;
  readonly namespace: string;
}

export interface OpenCertificatesOptions extends WebhookPlace {
  readonly clock: Clock;
  readonly log: Logger;
}

/** The certificate that this configuration's webhook serves with; one of our own making is kept in a Secret, or in {@link certificateDirectory}. */
export function openCertificates(config: Config, options: OpenCertificatesOptions): Promise<CertificateSource> {
  const { client, namespace, clock, log } = options;
  const names = servedNames(config, options);
  const home = client ? { client, namespace } : { directory: certificateDirectory(config) };
  return openCertificateSource({ settings: config.webhook, names, home, clock, log });
}

/** Where a certificate of our own making is kept on a machine that is part of no cluster. */
export function certificateDirectory({ secret }: Config): string {
  return join(secret.store.path, "webhook");
}

/** What the webhook is called by: as a service, at its configured address, and on a machine of its own as that. */
export function servedNames({ webhook }: Config, { client, namespace }: WebhookPlace): string[] {
  const names = certificateNames({ name: webhook.serviceName, namespace }, webhook.url);
  return client ? names : [...new Set([...names, "localhost", "127.0.0.1"])];
}
