import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "../../store/private-file.ts";
import type { CertificateSource } from "../certificate-source.ts";

/**
 * Keeps `ca.crt`, `tls.crt` and `tls.key` (0600) in a directory (0700) the same as what a source serves with (`webhook.localCert`),
 * until the function that is returned is called. Nothing here reads them.
 */
export function writeCertificateFiles(directory: string, source: CertificateSource): () => void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const write = () => {
    const { cert, key, ca } = source.current();
    const files = { "tls.key": key, "tls.crt": cert, "ca.crt": ca };
    for (const [file, text] of Object.entries(files)) writePrivateFile(join(directory, file), text, { replace: true });
  };
  write();
  return source.onChange(write);
}
