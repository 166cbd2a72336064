import { readFileSync } from "node:fs";
import {
  createFileStorage,
  createSecretStorage,
  openSelfSignedSource,
  validateKeyPair,
} from "@flyte-secrets/certificates";
import type { Config } from "@flyte-secrets/config";
import { SecretsError, systemClock } from "@flyte-secrets/core";
import type { Logger } from "@flyte-secrets/http";
import type { KubeClient } from "@flyte-secrets/kube";
import type { ServiceCertificate } from "@flyte-secrets/service";
import { SERVICE_FILES, serviceCertificateDirectory } from "@flyte-secrets/store";

export interface ServiceCertificateOptions {
  /** Where a certificate of our making is kept: the cluster and namespace of this service. */
  readonly home: { readonly client: KubeClient; readonly namespace: string } | undefined;
  readonly log: Logger;
}

/** The certificate of a running service, which the caller closes. */
export interface OpenedCertificate extends ServiceCertificate {
  close(): Promise<void>;
}

/**
 * The certificate that `secret.server.tls` describes: files, which are read once, or one of our own making, made and
 * renewed as the webhook's is: kept in a Secret for the names in `secret.server.allowedHosts`, or in the data directory
 * for this machine too. Undefined: plain HTTP. Throws `invalid_config`, naming the setting; else as {@link
 * openSelfSignedSource}.
 */
export async function openServiceCertificate(
  secret: Config["secret"],
  { home, log }: ServiceCertificateOptions,
): Promise<OpenedCertificate | undefined> {
  const { server } = secret;
  const { certFile, secretName: name, selfMade } = server.tls;
  if (certFile !== "") {
    const files = readFiles(server.tls);
    return { current: () => files, onChange: () => () => {}, close: async () => {} };
  }
  if (name === "") {
    if (!selfMade) return undefined;
    const storage = createFileStorage(serviceCertificateDirectory(secret.store.path), SERVICE_FILES);
    return await openSelfSignedSource({ storage, names: machineNames(server), clock: systemClock, log });
  }
  if (home === undefined) {
    throw new SecretsError(
      "invalid_config",
      "secret.server.tls.secretName keeps the certificate in a cluster, and there is none here: set " +
        "secret.server.tls.certFile instead, or secret.kubernetes.kubeconfig",
    );
  }
  if (server.allowedHosts.length === 0) {
    throw new SecretsError(
      "invalid_config",
      "secret.server.tls.secretName needs secret.server.allowedHosts beside it: the names that the certificate is for",
    );
  }
  const storage = createSecretStorage({ ...home, name, clock: systemClock, log });
  return await openSelfSignedSource({ storage, names: server.allowedHosts, clock: systemClock, log });
}

/** What a service on one machine is called by. */
function machineNames({ host, allowedHosts }: Config["secret"]["server"]): string[] {
  const bound = host === "::" || host === "0.0.0.0" ? [] : [host];
  return [...new Set(["localhost", "127.0.0.1", "::1", ...bound, ...allowedHosts])];
}

function readFiles({ certFile, keyFile }: Config["secret"]["server"]["tls"]) {
  const tls = {
    cert: readPem("secret.server.tls.certFile", certFile),
    key: readPem("secret.server.tls.keyFile", keyFile),
  };
  const fault = validateKeyPair(tls);
  if (fault === undefined) return tls;
  throw new SecretsError(
    "invalid_config",
    `secret.server.tls: the pair of ${certFile} and ${keyFile} cannot be served with: ${fault}. ` +
      "Set certFile to a certificate in PEM and keyFile to its private key in PEM, without a passphrase",
  );
}

function readPem(setting: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    throw new SecretsError("invalid_config", `${setting}: ${file} cannot be read (${code})`, { cause });
  }
}
