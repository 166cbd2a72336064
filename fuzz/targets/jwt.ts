import assert from "node:assert/strict";
import { KeyObject, sign } from "node:crypto";
import { isSecretsError } from "@flyte-secrets/core";
import type { Issuer } from "@flyte-secrets/service/testing";
import { verifyToken } from "@flyte-secrets/service/testing";
import { createLocalJWKSet, exportJWK, generateKeyPair } from "jose";
import { type FuzzTarget, textOf } from "../target.ts";

const RULES = { issuer: "https://issuer.example", audience: "flyte-secrets", clockSkewMs: 60_000 };
const FOR_EVER = 4_102_444_800;

const claims = (changes: object = {}) =>
  JSON.stringify({ iss: RULES.issuer, aud: RULES.audience, exp: FOR_EVER, sub: "s", ...changes });

/**
 * A token: header and claims, a line each, which are signed here with the issuer's key, so that mutations get past the
 * signature. A third line takes the place of the signature; one line alone is a whole token.
 */
export const target: FuzzTarget = {
  seeds: [
    `{"alg":"ES256","kid":"k"}\n${claims()}`,
    `{"alg":"ES256"}\n${claims({ aud: ["a", RULES.audience], nbf: 1, iat: 1 })}`,
    `{"alg":"ES256","kid":"k","typ":"at+jwt","crit":["b64"],"b64":false}\n${claims()}`,
    `{"alg":"none"}\n${claims()}\n`,
    "a.b.c",
  ],
  dictionary: [
    "alg",
    "none",
    "HS256",
    "ES256",
    "EdDSA",
    "kid",
    "jwk",
    "jku",
    "x5c",
    "crit",
    "b64",
    "zip",
    "enc",
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "sub",
    "1e300",
    "-1",
    ".",
    "=",
    "null",
  ],
  async open() {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" };
    const documents = { findKey: createLocalJWKSet({ keys: [jwk] }) };
    // Only the keys are asked for.
    const issuer = {
      documents: async () => documents,
      renewedDocuments: async () => documents,
      close() {},
    } as unknown as Issuer;
    const key = { key: KeyObject.from(privateKey), dsaEncoding: "ieee-p1363" } as const;
    return {
      async run(bytes) {
        const [header = "", payload, signature] = textOf(bytes).split("\n");
        let token = header;
        if (payload !== undefined) {
          const signed = `${base64(header)}.${base64(payload)}`;
          token = `${signed}.${signature === undefined ? sign("sha256", Buffer.from(signed), key).toString("base64url") : base64(signature)}`;
        }
        try {
          await verifyToken(token, issuer, RULES);
        } catch (error) {
          assert(error instanceof Error && error.name === "SecretsError", error as Error);
          assert(isSecretsError(error, "unauthenticated"), error);
          return;
        }
        assert(payload !== undefined && signature === undefined, "a token that the issuer didn't sign was accepted");
        const { iss, aud, exp, nbf = 0 } = JSON.parse(payload);
        const now = Date.now() / 1000;
        assert(
          iss === RULES.issuer && [aud].flat().includes(RULES.audience) && exp > now - 61 && nbf < now + 61,
          payload,
        );
      },
    };
  },
};

const base64 = (text: string) => Buffer.from(text).toString("base64url");
