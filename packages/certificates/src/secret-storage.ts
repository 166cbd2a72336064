import type { Clock } from "@flyte-secrets/core";
import { isSecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, runInformer, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import type { CertificateStorage, ServingCertificate } from "./source.ts";

/**
 * The label of a certificate that this project issued and renews. It is not one of an installer's labels, which Helm
 * would reset on a Secret that it created.
 */
const OWN_LABELS = { "app.flyte.org/certificate": "self-made" };

/** The annotation of a Secret that cert-manager renews. It counts more than {@link OWN_LABELS}, which may remain. */
const CERT_MANAGER_ANNOTATION = "cert-manager.io/certificate-name";

export interface SecretStorageOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** `webhook.secretName`. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Stores the certificate in a Secret (`ca.crt`, `tls.crt`, `tls.key`), as Flyte does. A Secret of Flyte's is immutable:
 * it is replaced by deleting exactly the version that was read and creating ours. A Secret with a certificate that
 * neither Flyte nor we issued is foreign.
 */
export function createSecretStorage(options: SecretStorageOptions): CertificateStorage {
  const { client, namespace, name, clock, log } = options;

  async function create(certificate: ServingCertificate): Promise<boolean> {
    const metadata = { namespace, name, labels: { "app.kubernetes.io/managed-by": "flyte-secrets", ...OWN_LABELS } };
    const secret: KubeSecret = {
      apiVersion: "v1",
      kind: "Secret",
      type: "Opaque",
      metadata,
      data: encode(certificate),
    };
    return wasFirst(client.create(SECRETS, secret), "already_exists");
  }

  async function replace(old: KubeSecret, certificate: ServingCertificate): Promise<boolean> {
    if (old.immutable === true) {
      const { uid, resourceVersion } = old.metadata;
      const preconditions = { uid, resourceVersion };
      const deleted = await wasFirst(client.delete(SECRETS, { namespace, name, preconditions }), "conflict");
      return deleted && create(certificate);
    }
    const secret: KubeSecret = {
      ...old,
      metadata: { ...old.metadata, labels: { ...old.metadata.labels, ...OWN_LABELS } },
      data: { ...old.data, ...encode(certificate) },
    };
    return wasFirst(client.replace(SECRETS, secret), "conflict", "not_found");
  }

  return {
    name: `Secret ${namespace}/${name}`,
    async read() {
      const secret = await client.get(SECRETS, { namespace, name });
      return (
        secret && {
          certificate: decode(secret),
          foreign: isForeign(secret),
          replace: (certificate) => replace(secret, certificate),
        }
      );
    },
    create,
    onChange(listener) {
      const informer = runInformer({
        client,
        resource: SECRETS,
        selector: { namespace, fieldSelector: `metadata.name=${name}` },
        handler: { onReplace: listener, onUpsert: listener, onDelete: listener },
        clock,
        log,
      });
      return () => informer.close();
    },
  };
}

function encode({ cert, key, ca }: ServingCertificate): Record<string, string> {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return { "ca.crt": base64(ca), "tls.crt": base64(cert), "tls.key": base64(key) };
}

function decode({ data = {} }: KubeSecret): ServingCertificate {
  const text = (key: string) => Buffer.from(data[key] ?? "", "base64").toString("utf8");
  return { cert: text("tls.crt"), key: text("tls.key"), ca: text("ca.crt") };
}

/** An empty Secret is not foreign: Flyte's charts create one to be filled. */
function isForeign({ metadata, data = {}, immutable }: KubeSecret): boolean {
  if (metadata.annotations?.[CERT_MANAGER_ANNOTATION] !== undefined) return true;
  const isOurs = Object.entries(OWN_LABELS).every(([label, value]) => metadata.labels?.[label] === value);
  return !isOurs && immutable !== true && Boolean(data["tls.crt"]);
}

/** True once written; false when it failed because another process was quicker. */
async function wasFirst(
  write: Promise<unknown>,
  ...lost: ("already_exists" | "conflict" | "not_found")[]
): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isSecretsError(error, ...lost)) return false;
    throw error;
  }
}
