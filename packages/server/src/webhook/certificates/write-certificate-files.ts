import { chmodSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory } from "../../store/make-directory.ts";
import { writePrivateFile } from "../../store/private-file.ts";
import type { CertificateSource } from "../certificate-source.ts";

/**
 * Keeps `ca.crt`, `tls.crt` and `tls.key` (0600) in a directory (0700) the same as what a source serves with (`webhook.localCert`),
 * until the function that is returned is called. Nothing here reads them.
 */
export function writeCertificateFiles(directory: string, source: CertificateSource): () => void {
  makeDirectory(directory);
  chmodSync(directory, 0o700);
  const write = () => {
    const { cert, key, ca } = source.current();
    const files = { "tls.key": key, "tls.crt": cert, "ca.crt": ca };
    for (const [file, text] of Object.entries(files)) writePrivateFile(join(directory, file), text, { replace: true });
  };
  write();
  return source.onChange(write);
}
