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

/** The certificate that a webhook with this configuration would serve. */
export interface FoundCertificate {
  /** Where it is stored, or would be: `Secret flyte/flyte-pod-webhook`, or a file. */
  readonly place: string;
  /** Absent when there is none yet. Its key must not be shown. */
  readonly certificate?: ServingCertificate;
  /** Whether others issued it and renew it. */
  readonly isForeign: boolean;
  /** Why it cannot be served. */
  readonly fault?: string;
  /** In a cluster: whether the registration trusts it. */
  readonly registration?: "carries its CA" | "carries another CA" | "is not there";
}

/** Reads the certificate; creates and changes nothing. */
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
 * Issues and stores a new certificate, and returns it. Running webhooks follow by themselves. Throws `call_refused` for
 * a certificate that others issued, and what the storage throws.
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

/** What was deleted, and what was left because it belongs to others. */
export interface RemovedWebhook {
  readonly removed: readonly string[];
  readonly left: readonly string[];
}

/**
 * Deletes the registration, so that no more pods are sent, and then the naming key and the certificate that this
 * project issued. The certificate of others stays.
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
    // A certificate of others may be issued for any name under which they send pods.
    return { place: `${certDir}/tls.crt`, certificate: readCertificateFiles(certDir), isForeign: true, names: [] };
  }
  const names = servedNames(options, where);
  const { directory } = options;
  // A storage of files would create its directory.
  if (!where.client && !existsSync(directory)) return { place: directory, isForeign: false, names };
  const storage = openStorage(options, where);
  const kept = await storage.read();
  const isForeign = kept?.foreign === true;
  const place = { place: storage.name, isForeign, names };
  // The chart creates an empty Secret, which the webhook fills.
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
