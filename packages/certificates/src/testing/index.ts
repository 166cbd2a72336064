export { validityOf } from "../chain.ts";
export { LIFETIME_MS } from "../issue-certificate.ts";
export { type CertificateRotator, createCertificateRotator } from "../rotator.ts";
export { UNFIT_PAIRS } from "./unfit-pairs.ts";
