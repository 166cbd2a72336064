import { createHash, timingSafeEqual } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { ServiceAuth } from "./service-config.ts";

/** Throws `unauthenticated` unless the headers carry what the server asks for. */
export type Authorise = (headers: Headers) => void;

/**
 * Checks the bearer token in `authorization` or, since Flyte's clients can send nothing else over plain HTTP, in
 * `proxy-authorization`. The comparison takes as long for a wrong token as for a nearly right one.
 */
export function createAuthorise(auth: ServiceAuth): Authorise {
  if (auth.mode === "none") return () => {};
  const expected = digest(auth.token);
  return (headers) => {
    const tokens = [headers.get("authorization"), headers.get("proxy-authorization")].flatMap(bearerToken);
    if (tokens.some((token) => timingSafeEqual(digest(token), expected))) return;
    const problem = tokens.length === 0 ? "no token was sent" : "the token is wrong";
    throw new SecretsError(
      "unauthenticated",
      `${problem}: send the header "authorization: Bearer <token>" with the token that this server was started with`,
    );
  };
}

function bearerToken(header: string | null): string[] {
  const token = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  return token === undefined ? [] : [token];
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
