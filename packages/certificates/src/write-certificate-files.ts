import { chmodSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory, writePrivateFile } from "@flyte-secrets/store";
import type { Logger } from "pino";
import type { CertificateSource } from "./source.ts";

/**
 * Keeps `ca.crt`, `tls.crt` and `tls.key` (0600) in a directory (0700) the same as what a source serves with (`webhook.localCert`),
 * until the function that is returned is called. Nothing here reads them. Throws when they can't be written at first.
 */
export function writeCertificateFiles(directory: string, source: CertificateSource, log: Logger): () => void {
  makeDirectory(directory);
  chmodSync(directory, 0o700);
  const write = () => {
    const { cert, key, ca } = source.current();
    const files = { "tls.key": key, "tls.crt": cert, "ca.crt": ca };
    for (const [file, text] of Object.entries(files)) writePrivateFile(join(directory, file), text, { replace: true });
  };
  write();
  return source.onChange(() => {
    try {
      write();
    } catch (error) {
      // Whoever reads the files has the old ones for longer; what is served doesn't hang on them.
      log.warn({ err: error }, `the certificate cannot be written to ${directory} (webhook.localCert)`);
    }
  });
}
