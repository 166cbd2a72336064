import { existsSync, rmSync } from "node:fs";
import type { CertificateStorage, ServingCertificate } from "@flyte-secrets/certificates";
import {
  createFileStorage,
  createSecretStorage,
  findFault,
  hasCertificateFiles,
  holdsBundle,
  openSelfSignedSource,
  readCertificateFiles,
} from "@flyte-secrets/certificates";
import type { Config } from "@flyte-secrets/config";
import { SecretsError, systemClock } from "@flyte-secrets/core";
import { SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { namingKeySecret } from "../delivery/open-secret-writer.ts";
import { removeRegistration } from "../registration/registration.ts";
import { registeredBundle, WEBHOOK_CONFIGURATIONS } from "../registration/webhook-configuration.ts";
import { certificateDirectory, servedNames, type WebhookPlace } from "./open-certificates.ts";

export interface ManageOptions extends WebhookPlace {
  readonly log: Logger;
}

/** The certificate that a webhook of this configuration would serve with. */
export interface FoundCertificate {
  /** Where it is, or would be: `Secret flyte/flyte-pod-webhook`, or a file. */
  readonly place: string;
  /** Absent when there is none yet. Its key is not for showing. */
  readonly certificate?: ServingCertificate;
  /** Made by others, who renew it too. */
  readonly isForeign: boolean;
  /** Why it can't be served with. */
  readonly fault?: string;
  /** In a cluster: what the registration there does. */
  readonly registration?: "carries its CA" | "carries another CA" | "is not there";
}

/** Looks at the certificate; makes nothing and changes nothing. */
export async function findCertificate(config: Config, options: ManageOptions): Promise<FoundCertificate> {
  const { place, certificate, isForeign, names } = await readKept(config, options);
  const registration = certificate && (await findRegistration(config, certificate, options));
  const fault = certificate && findFault(certificate, { names, now: systemClock.now() });
  return {
    place,
    isForeign,
    ...(certificate && { certificate }),
    ...(fault !== undefined && { fault }),
    ...(registration && { registration }),
  };
}

/**
 * Puts another certificate of our making in place, and gives it; webhooks that run follow by themselves. One is made where
 * there is none. Throws `call_refused` for one that others made, and what keeps it from being written.
 */
export async function renewCertificate(config: Config, options: ManageOptions): Promise<ServingCertificate> {
  const { certDir, localCert } = config.webhook;
  if (!localCert && hasCertificateFiles(certDir)) {
    throw new SecretsError(
      "call_refused",
      `${certDir} holds tls.crt and tls.key, which others make: have them renewed there, or set webhook.localCert to true`,
    );
  }
  const keeper = openKeeper(config, options);
  const isThere = (await keeper.read()) !== undefined;
  const names = servedNames(config, options);
  const source = await openSelfSignedSource({ keeper, names, clock: systemClock, log: options.log });
  try {
    return isThere ? await source.renew() : source.current();
  } finally {
    await source.close();
  }
}

/** What was there to delete, and what was there and is not ours to delete. */
export interface RemovedWebhook {
  readonly removed: readonly string[];
  readonly left: readonly string[];
}

/** Deletes the registration, so that no pod is sent any more, and then our naming key and our certificate; others' stays. */
export async function removeWebhook(config: Config, options: ManageOptions): Promise<RemovedWebhook> {
  const { client, namespace } = options;
  const { serviceName, secretName } = config.webhook;
  const removed: string[] = [];
  if (!client) {
    const directory = certificateDirectory(config);
    if (existsSync(directory)) removed.push(directory);
    rmSync(directory, { recursive: true, force: true });
    return { removed, left: [] };
  }
  if (await removeRegistration(client, serviceName)) removed.push(`MutatingWebhookConfiguration ${serviceName}`);
  const keeper = openKeeper(config, options);
  const left = (await keeper.read())?.foreign ? [keeper.name] : [];
  const ours = [...(left.length > 0 ? [] : [secretName]), namingKeySecret(config.webhook)];
  for (const name of ours) {
    if (await client.delete(SECRETS, { namespace, name })) removed.push(`Secret ${namespace}/${name}`);
  }
  return { removed, left };
}

async function readKept(
  config: Config,
  options: ManageOptions,
): Promise<Pick<FoundCertificate, "place" | "certificate" | "isForeign"> & { readonly names: readonly string[] }> {
  const { certDir, localCert } = config.webhook;
  if (!localCert && hasCertificateFiles(certDir)) {
    // What others make may be for whatever name they send pods to.
    return { place: `${certDir}/tls.crt`, certificate: readCertificateFiles(certDir), isForeign: true, names: [] };
  }
  const names = servedNames(config, options);
  const directory = certificateDirectory(config);
  // A keeper of files makes its directory.
  if (!options.client && !existsSync(directory)) return { place: directory, isForeign: false, names };
  const keeper = openKeeper(config, options);
  const kept = await keeper.read();
  const isForeign = kept?.foreign === true;
  return { place: keeper.name, isForeign, names, ...(kept && { certificate: kept.certificate }) };
}

function openKeeper(config: Config, { client, namespace, log }: ManageOptions): CertificateStorage {
  if (!client) return createFileStorage(certificateDirectory(config));
  return createSecretStorage({ client, namespace, name: config.webhook.secretName, clock: systemClock, log });
}

async function findRegistration(
  { webhook }: Config,
  { ca }: Pick<ServingCertificate, "ca">,
  { client }: WebhookPlace,
): Promise<FoundCertificate["registration"]> {
  if (!client) return undefined;
  const found = await client.get(WEBHOOK_CONFIGURATIONS, { name: webhook.serviceName });
  const bundle = found && registeredBundle(found);
  if (bundle === undefined) return "is not there";
  return holdsBundle(bundle, ca) ? "carries its CA" : "carries another CA";
}
