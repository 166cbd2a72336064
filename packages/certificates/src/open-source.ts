import { chmodSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { makeDirectory, writePrivateFile } from "@flyte-secrets/store";
import type { Logger } from "pino";
import { createFileStorage } from "./file-storage.ts";
import { hasCertificateFiles, openFilesSource } from "./files-source.ts";
import { createSecretStorage } from "./secret-storage.ts";
import { openSelfSignedSource } from "./self-signed-source.ts";
import type { CertificateSource } from "./source.ts";

export interface CertificateSettings {
  /** Directory of certificate files. */
  readonly certDir: string;
  /** Whether a self-signed certificate is served and also written to `certDir`, instead of reading files from there. */
  readonly localCert: boolean;
  /** Name of the Secret that stores a self-signed certificate in a cluster. */
  readonly secretName: string;
}

export interface OpenCertificateOptions {
  readonly settings: CertificateSettings;
  /** Names of a self-signed certificate: see {@link certificateNames}. */
  readonly names: readonly string[];
  /** Where a self-signed certificate is stored: in a Secret of a cluster, or in a directory of this machine. */
  readonly home: { readonly client: KubeClient; readonly namespace: string } | { readonly directory: string };
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Opens the webhook's certificate source: the files of `certDir` when there are any and `localCert` is off, otherwise a
 * self-signed certificate, also written to `certDir` when `localCert` is on.
 */
export async function openCertificateSource(options: OpenCertificateOptions): Promise<CertificateSource> {
  const { settings, names, home, clock, log } = options;
  const { certDir: directory, localCert, secretName } = settings;
  if (!localCert && hasCertificateFiles(directory)) return openFilesSource({ directory, clock, log });
  const storage =
    "client" in home
      ? createSecretStorage({ ...home, name: secretName, clock, log })
      : createFileStorage(home.directory);
  const source = await openSelfSignedSource({ storage, names, clock, log });
  if (localCert) writeCertificateFiles(directory, source, log);
  return source;
}

/** The names by which a service is called from inside its cluster, and the host of an address from outside. */
export function certificateNames(service: { readonly name: string; readonly namespace: string }, url = ""): string[] {
  const { name, namespace } = service;
  const names = [name, `${name}.${namespace}`, `${name}.${namespace}.svc`];
  return url === "" ? names : [...names, new URL(url).hostname.replace(/^\[(.*)\]$/, "$1")];
}

/**
 * Writes `ca.crt`, `tls.crt` and `tls.key` (0600) to a directory (0700), now and after each change of the source
 * (`webhook.localCert`). Throws when the first write fails.
 */
function writeCertificateFiles(directory: string, source: CertificateSource, log: Logger): void {
  makeDirectory(directory);
  chmodSync(directory, 0o700);
  const write = () => {
    const { cert, key, ca } = source.current();
    const files = { "tls.key": key, "tls.crt": cert, "ca.crt": ca };
    for (const [file, text] of Object.entries(files)) writePrivateFile(join(directory, file), text, { replace: true });
  };
  write();
  source.onChange(() => {
    try {
      write();
    } catch (error) {
      // Readers of the files then have the old ones for longer; the served certificate does not depend on them.
      log.warn({ err: error }, `the certificate cannot be written to ${directory} (webhook.localCert)`);
    }
  });
}
