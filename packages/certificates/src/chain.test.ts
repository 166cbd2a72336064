import { generateKeyPairSync } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { bundleIncludes, isChainTrusted, joinBundles, parseCertificates, validateCertificate } from "./chain.ts";
import { issueCertificate, LIFETIME_MS } from "./issue-certificate.ts";
import type { ServingCertificate } from "./source.ts";
import { makeChain } from "./testing/make-chain.ts";

const now = Date.now();
const check = { names: ["hook", "127.0.0.1"], now };
let certificate: ServingCertificate;
let other: ServingCertificate;

beforeAll(async () => {
  certificate = await issueCertificate({ names: check.names, now });
  other = await issueCertificate({ names: check.names, now: now - LIFETIME_MS - 1000 });
});

test("a good certificate has no fault", () => {
  expect(validateCertificate(certificate, check)).toBeUndefined();
});

test("each fault of a certificate is said in words", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const end = new Date(Math.floor((now + LIFETIME_MS) / 1000) * 1000).toISOString();
  const faults = [
    validateCertificate({ cert: "", key: "", ca: "" }, check),
    validateCertificate(
      { ...certificate, cert: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
      check,
    ),
    validateCertificate({ ...certificate, ca: "" }, check),
    validateCertificate({ ...certificate, key: certificate.key.slice(0, 60) }, check),
    validateCertificate({ ...certificate, key: rsa.export({ type: "pkcs8", format: "pem" }).toString() }, check),
    validateCertificate({ ...certificate, ca: other.ca }, check),
    validateCertificate(certificate, { ...check, now: now + LIFETIME_MS + 1000 }),
    validateCertificate(certificate, { ...check, now: now - 3_600_000 }),
    validateCertificate(certificate, { ...check, names: ["hook", "hook.flyte.svc"] }),
    validateCertificate(certificate, { ...check, names: ["127.0.0.2"] }),
  ];
  expect(faults).toEqual([
    "its certificate is empty or no PEM",
    "its certificate is empty or no PEM",
    "its CA is no certificate",
    "its certificate and key do not belong together",
    "its certificate and key do not belong together",
    "its CA did not issue its certificate",
    `it ended on ${end}`,
    expect.stringMatching(/^it begins only on /),
    "it is not for the name hook.flyte.svc",
    "it is not for the name 127.0.0.2",
  ]);
});

test("a certificate whose dates can't be read is none to serve with", () => {
  const cert = withoutEnd(certificate.cert);
  expect(validateCertificate({ ...certificate, cert, ca: cert }, check)).toBe("its dates can't be read");
});

test("a certificate of a CA whose end has come or can't be read is none to serve with, each time", async () => {
  for (let time = 0; time < 30; time++) {
    const made = await issueCertificate({ names: check.names, now });
    const ca = withoutEnd(made.ca);
    expect(validateCertificate({ ...made, ca }, check)).toBe("its CA has expired, or its dates can't be read");
  }
});

/** The certificate with a letter in the date of its end (ASN.1's YYMMDDHHMMSSZ), which readers take for no date. */
function withoutEnd(pem: string): string {
  const bytes = Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
  const [, end] = bytes.toString("latin1").matchAll(/\d{12}Z/g);
  bytes.write("x", end?.index ?? 0, "latin1");
  return `-----BEGIN CERTIFICATE-----\n${bytes.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

test("a chain of which a part can't be read is none to serve with", () => {
  const cert = `${certificate.cert}\n-----BEGIN CERTIFICATE-----\nU-\n-----END CERTIFICATE-----\n`;
  expect(validateCertificate({ ...certificate, cert }, check)).toBe(
    "a server can't be opened with it: bad base64 decode",
  );
});

test("a joined bundle has each certificate once, in order, and none that has ended", () => {
  const bundle = joinBundles([certificate.ca, other.ca, `text\n${certificate.ca}`], now);
  expect(parseCertificates(bundle).map(({ fingerprint256 }) => fingerprint256)).toEqual(
    parseCertificates(certificate.ca).map(({ fingerprint256 }) => fingerprint256),
  );
  expect(parseCertificates(joinBundles([certificate.ca, other.ca], 0))).toHaveLength(2);
});

test("a bundle holds another whatever the order and line ends", () => {
  const both = joinBundles([certificate.ca, other.ca], 0);
  expect(bundleIncludes(both, other.ca.replaceAll("\n", "\r\n"))).toBe(true);
  expect(bundleIncludes(other.ca, both)).toBe(false);
  expect(bundleIncludes("", "")).toBe(true);
});

test("a self-signed certificate is trusted by itself, and a chain that leads nowhere is not", () => {
  expect(isChainTrusted(certificate.ca, certificate.ca)).toBe(true);
  expect(isChainTrusted(certificate.cert, "")).toBe(false);
  expect(isChainTrusted("", certificate.ca)).toBe(false);
});

test("a chain is followed through the certificates that are sent with it", async () => {
  const { root, intermediate, leaf } = await makeChain();
  expect(isChainTrusted(`${leaf}\n${intermediate}`, root)).toBe(true);
  expect(isChainTrusted(leaf, root)).toBe(false);
});

test("a CA of the same name with another key vouches for nothing, at the end of a chain or within", async () => {
  const [chain, other] = [await makeChain(), await makeChain()];
  expect(isChainTrusted(`${chain.leaf}\n${chain.intermediate}`, other.root)).toBe(false);
  expect(isChainTrusted(`${chain.leaf}\n${other.intermediate}`, chain.root)).toBe(false);
  expect(isChainTrusted(chain.leaf, other.intermediate)).toBe(false);
  expect(isChainTrusted(`${chain.leaf}\n${other.intermediate}\n${chain.intermediate}`, chain.root)).toBe(true);
});
