import assert from "node:assert/strict";
import { createSecureContext } from "node:tls";
import { isChainTrusted, issueCertificate, joinBundles, validateCertificate } from "@flyte-secrets/certificates";
import { validityOf } from "@flyte-secrets/certificates/testing";
import { type FuzzTarget, textOf } from "../target.ts";

const SEPARATOR = "\n===\n";
const NOW = Date.UTC(2026, 0, 1);

/** A certificate as files or a Secret give it: chain, key and CA in PEM. What has no fault can be served with. */
export const target: FuzzTarget = {
  seeds: [SEPARATOR],
  dictionary: [
    "-----BEGIN CERTIFICATE-----",
    "-----END CERTIFICATE-----",
    "-----BEGIN PRIVATE KEY-----",
    "\r\n",
    "=",
    SEPARATOR,
  ],
  maxBytes: 16_384,
  async open() {
    const names = ["flyte-secrets-webhook.flyte.svc", "127.0.0.1"];
    const [one, other] = [await issueCertificate({ names, now: NOW }), await issueCertificate({ names, now: NOW })];
    return {
      seeds: [
        [one.cert, one.key, one.ca].join(SEPARATOR),
        [one.cert + one.ca, one.key, other.ca + one.ca].join(SEPARATOR),
        [one.cert, other.key, one.ca].join(SEPARATOR),
      ],
      run(bytes) {
        const [cert = "", key = "", ca = ""] = textOf(bytes).split(SEPARATOR);
        if (validateCertificate({ cert, key, ca }, { names, now: NOW }) !== undefined) return;
        createSecureContext({ cert, key, ca });
        const { notBefore: start, notAfter: end } = validityOf(cert);
        assert(start <= NOW && NOW < end);
        // Beside another CA, and without certificates that ended or whose dates can't be read.
        assert(isChainTrusted(cert, joinBundles([other.ca, ca], NOW)));
      },
    };
  },
};
