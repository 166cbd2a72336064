import { existsSync, rmSync } from "node:fs";
import type { CertificateStorage, ServingCertificate } from "@flyte-secrets/certificates";
import {
  bundleIncludes,
  createFileStorage,
  createSecretStorage,
  hasCertificateFiles,
  openSelfSignedSource,
  readCertificateFiles,
  validateCertificate,
} from "@flyte-secrets/certificates";
import { SecretsError, systemClock } from "@flyte-secrets/core";
import { SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { removeRegistration } from "../registration/registration.ts";
import { registeredBundle, WEBHOOK_CONFIGURATIONS } from "../registration/webhook-configuration.ts";
import type { WebhookOptions } from "../webhook-options.ts";
import { type CertificateOptions, servedNames, type WebhookLocation } from "./open-certificates.ts";

export interface ManageOptions extends WebhookLocation {
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
export async function findCertificate(options: CertificateOptions, where: ManageOptions): Promise<FoundCertificate> {
  const { place, certificate, isForeign, names } = await readKept(options, where);
  const registration = certificate && (await findRegistration(options, certificate, where));
  const fault = certificate && validateCertificate(certificate, { names, now: systemClock.now() });
  return {
    place,
    isForeign,
    ...(certificate && { certificate }),
    ...(fault !== undefined && { fault }),
    ...(registration && { registration }),
  };
}

/**
 * Puts another certificate of our making in place, and gives it; webhooks that run follow by themselves. One is made
 * where there is none. Throws `call_refused` for one that others made, and what keeps it from being written.
 */
export async function renewCertificate(options: CertificateOptions, where: ManageOptions): Promise<ServingCertificate> {
  const { certDir, localCert } = options;
  if (!localCert && hasCertificateFiles(certDir)) {
    throw new SecretsError(
      "call_refused",
      `${certDir} holds tls.crt and tls.key, which others make: have them renewed there, or set webhook.localCert ` +
        "to true",
    );
  }
  const storage = openStorage(options, where);
  const isThere = (await storage.read()) !== undefined;
  const names = servedNames(options, where);
  const source = await openSelfSignedSource({ storage, names, clock: systemClock, log: where.log });
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

/**
 * Deletes the registration, so that no pod is sent any more, and then our naming key and our certificate; others'
 * stays.
 */
export async function removeWebhook(
  { certificate, writer }: Pick<WebhookOptions, "certificate" | "writer">,
  where: ManageOptions,
): Promise<RemovedWebhook> {
  const { client, namespace } = where;
  const { serviceName, secretName, directory } = certificate;
  const removed: string[] = [];
  if (!client) {
    if (existsSync(directory)) removed.push(directory);
    rmSync(directory, { recursive: true, force: true });
    return { removed, left: [] };
  }
  if (await removeRegistration(client, serviceName)) removed.push(`MutatingWebhookConfiguration ${serviceName}`);
  const storage = openStorage(certificate, where);
  const left = (await storage.read())?.foreign ? [storage.name] : [];
  const ours = [...(left.length > 0 ? [] : [secretName]), writer.namingKeySecret];
  for (const name of ours) {
    if (await client.delete(SECRETS, { namespace, name })) removed.push(`Secret ${namespace}/${name}`);
  }
  return { removed, left };
}

async function readKept(
  options: CertificateOptions,
  where: ManageOptions,
): Promise<Pick<FoundCertificate, "place" | "certificate" | "isForeign"> & { readonly names: readonly string[] }> {
  const { certDir, localCert } = options;
  if (!localCert && hasCertificateFiles(certDir)) {
    // What others make may be for whatever name they send pods to.
    return { place: `${certDir}/tls.crt`, certificate: readCertificateFiles(certDir), isForeign: true, names: [] };
  }
  const names = servedNames(options, where);
  const { directory } = options;
  // A storage of files makes its directory.
  if (!where.client && !existsSync(directory)) return { place: directory, isForeign: false, names };
  const storage = openStorage(options, where);
  const kept = await storage.read();
  const isForeign = kept?.foreign === true;
  const place = { place: storage.name, isForeign, names };
  // The chart makes the Secret empty, for the webhook to fill.
  return kept === undefined || kept.certificate.cert === "" ? place : { ...place, certificate: kept.certificate };
}

function openStorage(
  { secretName: name, directory }: CertificateOptions,
  { client, namespace, log }: ManageOptions,
): CertificateStorage {
  if (!client) return createFileStorage(directory);
  return createSecretStorage({ client, namespace, name, clock: systemClock, log });
}

async function findRegistration(
  { serviceName: name }: CertificateOptions,
  { ca }: Pick<ServingCertificate, "ca">,
  { client }: WebhookLocation,
): Promise<FoundCertificate["registration"]> {
  if (!client) return undefined;
  const found = await client.get(WEBHOOK_CONFIGURATIONS, { name });
  const bundle = found && registeredBundle(found);
  if (bundle === undefined) return "is not there";
  return bundleIncludes(bundle, ca) ? "carries its CA" : "carries another CA";
}
