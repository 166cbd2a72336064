export {
  bundleIncludes,
  fingerprintOf,
  isChainTrusted,
  joinBundles,
  validateCertificate,
  validateKeyPair,
} from "./chain.ts";
export { createFileStorage } from "./file-storage.ts";
export { hasCertificateFiles, readCertificateFiles } from "./files-source.ts";
export { issueCertificate } from "./issue-certificate.ts";
export { certificateNames, openCertificateSource } from "./open-source.ts";
export { replaceCertificate } from "./rotator.ts";
export { createSecretStorage } from "./secret-storage.ts";
export { openSelfSignedSource } from "./self-signed-source.ts";
export type { CertificateSource, CertificateStorage, ServingCertificate } from "./source.ts";
