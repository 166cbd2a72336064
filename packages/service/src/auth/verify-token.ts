import { SecretsError } from "@flyte-secrets/core";
import type { JWTVerifyGetKey } from "jose";
import type { Issuer } from "./issuer.ts";
import type { TokenTimes } from "./verified-tokens.ts";

/** Imported only where an issuer is configured, because that takes 60 ms. */
type Jose = typeof import("jose");

/** Signatures with public keys only; with a shared secret, whoever verifies a token could also forge one. */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

export interface TokenRules {
  /** The issuer that a token must name. */
  readonly issuer: string;
  /** The audience that a token must be for. */
  readonly audience: string;
  /** How far the issuer's clock may be from ours. */
  readonly clockSkewMs: number;
}

/** A token that was found to be good: with which keys of its issuer, and when. */
export interface VerifiedToken {
  readonly keys: JWTVerifyGetKey;
  readonly times: TokenTimes;
}

/**
 * Verifies signature, issuer, audience and times of a token (RFC 7519, RFC 8725). For an unknown key the issuer's keys
 * are fetched again. Throws `unauthenticated` that names what is wrong with the token, and `issuer_unavailable` when
 * there are no keys.
 */
export async function verifyToken(token: string, issuer: Issuer, rules: TokenRules): Promise<VerifiedToken> {
  const jose = await import("jose");
  const verify = async (findKey: JWTVerifyGetKey) => {
    const { payload } = await jose.jwtVerify(token, findKey, {
      issuer: rules.issuer,
      audience: rules.audience,
      clockTolerance: rules.clockSkewMs / 1000,
      algorithms: ALGORITHMS,
      requiredClaims: ["exp"],
    });
    return { keys: findKey, times: { notBefore: payload.nbf, expires: payload.exp ?? 0 } };
  };
  try {
    const { findKey } = await issuer.documents();
    return await verify(findKey).catch(async (error: unknown) => {
      if (!(error instanceof jose.errors.JWKSNoMatchingKey)) throw error;
      const renewed = await issuer.renewedDocuments();
      return await verify(renewed.findKey);
    });
  } catch (error) {
    if (!(error instanceof jose.errors.JOSEError)) throw error;
    const remedy = `send one that ${rules.issuer} has issued for the audience ${rules.audience}`;
    throw new SecretsError("unauthenticated", `${describe(error, jose)}: ${remedy}`);
  }
}

function describe(error: Error, { errors }: Jose): string {
  if (error instanceof errors.JWTExpired) return "the token has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return describeClaim(error.claim, error.reason);
  if (error instanceof errors.JWKSNoMatchingKey)
    return "the token is signed with a key that its issuer does not publish";
  if (error instanceof errors.JWKSMultipleMatchingKeys) return "the token does not say which key it is signed with";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the token's signature is wrong";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the token is not signed with a public-key algorithm";
  return "the token is no signed JWT";
}

function describeClaim(claim: string, reason: string): string {
  if (reason === "missing") return `the token has no claim ${claim}`;
  switch (claim) {
    case "aud":
      return "the token is for another audience";
    case "iss":
      return "the token is from another issuer";
    case "nbf":
      return "the token is not valid yet";
    default:
      return `the token's claim ${claim} is wrong`;
  }
}
