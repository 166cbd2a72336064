import { join } from "node:path";

/** The files of the certificate that the service of one machine makes (`secret.server.tls.selfMade`). */
export const SERVICE_FILES = { certificate: "server-certificate.pem", ca: "ca.crt" } as const;

/** Where they are, of a data directory (`secret.store.path`). */
export function serviceCertificateDirectory(dataDirectory: string): string {
  return join(dataDirectory, "tls");
}

/** What clients verify that service by. */
export function serviceCaFile(dataDirectory: string): string {
  return join(serviceCertificateDirectory(dataDirectory), SERVICE_FILES.ca);
}

/** With what Flyte's own clients reach the server of a data directory. */
export function flyteConfigFile(dataDirectory: string): string {
  return join(dataDirectory, "flyte.yaml");
}
