import { join } from "node:path";

/** The files of the self-signed certificate of a service on one machine (`secret.server.tls.selfMade`). */
export const SERVICE_FILES = { certificate: "server-certificate.pem", ca: "ca.crt" } as const;

/** The directory of these files in a data directory (`secret.store.path`). */
export function serviceCertificateDirectory(dataDirectory: string): string {
  return join(dataDirectory, "tls");
}

/** The CA by which clients verify that service. */
export function serviceCaFile(dataDirectory: string): string {
  return join(serviceCertificateDirectory(dataDirectory), SERVICE_FILES.ca);
}

/** The configuration by which Flyte's own clients reach the server of a data directory. */
export function flyteConfigFile(dataDirectory: string): string {
  return join(dataDirectory, "flyte.yaml");
}
