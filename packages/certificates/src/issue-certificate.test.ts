import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { isChainTrusted, joinBundles, parseCertificates } from "./chain.ts";
import { issueCertificate } from "./issue-certificate.ts";
import { handshake } from "./testing/handshake.ts";

const names = ["hook", "hook.flyte", "hook.flyte.svc", "127.0.0.1", "::1"];
const now = Date.now();

test("a certificate is P-256, lasts a year and is for exactly the names given", async () => {
  const { cert, ca } = await issueCertificate({ names, now });
  const [leaf, ...more] = parseCertificates(cert);
  expect(more).toEqual([]);
  expect({
    names: leaf?.subjectAltName,
    isCa: leaf?.ca,
    curve: leaf?.publicKey.asymmetricKeyDetails,
    days: ((leaf?.validToDate.getTime() ?? 0) - now) / 86_400_000,
    usage: leaf?.keyUsage,
  }).toEqual({
    names: "DNS:hook, DNS:hook.flyte, DNS:hook.flyte.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    isCa: false,
    curve: { namedCurve: "prime256v1" },
    days: expect.closeTo(365, 3),
    usage: ["1.3.6.1.5.5.7.3.1"],
  });
  expect(new X509Certificate(ca).ca).toBe(true);
});

test("a client that trusts the CA accepts it for its names and for no other", async () => {
  const certificate = await issueCertificate({ names, now });
  const { ca } = certificate;
  expect(await handshake(certificate, { ca, servername: "hook.flyte.svc" })).toBe("trusted");
  expect(await handshake(certificate, { ca, servername: "other.flyte.svc" })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
});

test("a client that trusts the old and the new CA accepts certificates of both, whichever comes first", async () => {
  const old = await issueCertificate({ names, now });
  const next = await issueCertificate({ names, now });
  for (const bundle of [joinBundles([old.ca, next.ca], now), joinBundles([next.ca, old.ca], now)]) {
    expect(await handshake(old, { ca: bundle, servername: "hook" })).toBe("trusted");
    expect(await handshake(next, { ca: bundle, servername: "hook" })).toBe("trusted");
  }
  expect(await handshake(next, { ca: old.ca, servername: "hook" })).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  expect(isChainTrusted(next.cert, old.ca)).toBe(false);
});

test("a clock that is some minutes behind finds it valid", async () => {
  const { cert } = await issueCertificate({ names, now });
  expect(new X509Certificate(cert).validFromDate.getTime()).toBeLessThan(now - 5 * 60_000);
});
