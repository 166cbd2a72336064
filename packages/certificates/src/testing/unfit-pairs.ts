import type { ServingCertificate } from "../source.ts";

type Spoil = (one: ServingCertificate, other: ServingCertificate) => Partial<ServingCertificate>;

/** Pairs that cannot be served: what is wrong with one, how to make it of two good ones, and the fault that is reported. */
export const UNFIT_PAIRS: readonly (readonly [string, Spoil, string])[] = [
  ["another's key", (_, { key }) => ({ key }), "its certificate and key do not belong together"],
  ["another's certificate", (_, { cert }) => ({ cert }), "its certificate and key do not belong together"],
  ["no key", () => ({ key: "" }), "its certificate and key do not belong together"],
  ["half a key", ({ key }) => ({ key: key.slice(0, 80) }), "its certificate and key do not belong together"],
  ["no certificate", () => ({ cert: "" }), "its certificate is empty or no PEM"],
  ["half a certificate", ({ cert }) => ({ cert: cert.slice(0, 200) }), "its certificate is empty or no PEM"],
  ["a key in the certificate's place", ({ key }) => ({ cert: key }), "its certificate is empty or no PEM"],
  [
    "a broken certificate in its chain",
    ({ cert }) => ({ cert: `${cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` }),
    "a server can't be opened with it",
  ],
];
