export { datesOf } from "./../certificate-chain.ts";
export { type CertificateHolder, createCertificateHolder } from "./../certificate-holder.ts";
export { LIFETIME_MS } from "./../make-certificate.ts";
