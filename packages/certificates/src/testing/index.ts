export { datesOf } from "../chain.ts";
export { LIFETIME_MS } from "./../make-certificate.ts";
export { type CertificateRotator, createCertificateRotator } from "../rotator.ts";
