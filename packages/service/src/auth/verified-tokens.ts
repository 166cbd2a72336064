import { hash } from "node:crypto";
import { type Clock, systemClock } from "@flyte-secrets/core";

/** When a token is good, in seconds since 1970, as its claims say. */
export interface TokenTimes {
  readonly notBefore?: number | undefined;
  readonly expires: number;
}

/** Tokens whose signature and claims were found to be good, so that they are verified once and not with each call. */
export interface VerifiedTokens {
  /** Whether the token was verified with `keys`, and is still good by its times. */
  includes(token: string, keys: object): boolean;
  /** Keeps a token that was verified with `keys`. With other keys than before, all that were kept are dropped. */
  add(token: string, keys: object, times: TokenTimes): void;
}

/** Some 100 bytes each. */
const MAX_TOKENS = 4_096;

/**
 * Creates the memory of verified tokens. It has their SHA-256 alone, and of too many it forgets the oldest.
 * `clockSkewMs` is how far the issuer's clock may be from ours.
 */
export function createVerifiedTokens(clockSkewMs: number, clock: Clock = systemClock): VerifiedTokens {
  const tokens = new Map<string, TokenTimes>();
  let usedKeys: object | undefined;
  const skewSeconds = clockSkewMs / 1000;
  return {
    includes(token, keys) {
      if (keys !== usedKeys) return false;
      const times = tokens.get(digest(token));
      if (times === undefined) return false;
      // As when it was verified: the clock may have been set since.
      const now = Math.floor(clock.now() / 1000);
      return times.expires > now - skewSeconds && (times.notBefore ?? 0) <= now + skewSeconds;
    },
    add(token, keys, times) {
      if (keys !== usedKeys) tokens.clear();
      usedKeys = keys;
      const [oldest] = tokens.keys();
      if (tokens.size >= MAX_TOKENS && oldest !== undefined) tokens.delete(oldest);
      tokens.set(digest(token), times);
    },
  };
}

function digest(token: string): string {
  return hash("sha256", token, "base64");
}
