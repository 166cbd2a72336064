import type { Settings } from "@flyte-secrets/config";
import type { Clock } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { createFileStorage } from "./file-storage.ts";
import { hasCertificateFiles, openFilesSource } from "./files-source.ts";
import { createSecretStorage } from "./secret-storage.ts";
import { openSelfSignedSource } from "./self-signed-source.ts";
import type { CertificateSource } from "./source.ts";
import { writeCertificateFiles } from "./write-certificate-files.ts";

export interface OpenCertificateOptions {
  readonly settings: Pick<Settings["webhook"], "certDir" | "localCert" | "secretName">;
  /** What a certificate of our making is for: see {@link certificateNames}. */
  readonly names: readonly string[];
  /** Where certificates of our making are kept: in a Secret of a cluster, or in a directory of this machine. */
  readonly home: { readonly client: KubeClient; readonly namespace: string } | { readonly directory: string };
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The webhook's certificate as the configuration has it: the files of `certDir` when there are any and `localCert`
 * is off, else one of our own making, also written to `certDir` when `localCert` is on.
 */
export async function openCertificateSource(options: OpenCertificateOptions): Promise<CertificateSource> {
  const { settings, names, home, clock, log } = options;
  const { certDir: directory, localCert, secretName } = settings;
  if (!localCert && hasCertificateFiles(directory)) return openFilesSource({ directory, clock, log });
  const keeper =
    "client" in home
      ? createSecretStorage({ ...home, name: secretName, clock, log })
      : createFileStorage(home.directory);
  const source = await openSelfSignedSource({ keeper, names, clock, log });
  if (localCert) writeCertificateFiles(directory, source, log);
  return source;
}

/** The names by which a service is called from inside its cluster, and the host of an address from outside. */
export function certificateNames(service: { readonly name: string; readonly namespace: string }, url = ""): string[] {
  const { name, namespace } = service;
  const names = [name, `${name}.${namespace}`, `${name}.${namespace}.svc`];
  return url === "" ? names : [...names, new URL(url).hostname.replace(/^\[(.*)\]$/, "$1")];
}
