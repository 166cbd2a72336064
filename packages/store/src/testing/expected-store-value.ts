import { createHash } from "node:crypto";
import { SecretValue } from "@flyte-secrets/core";

/**
 * What a crash test writes as the nth value of secret `name`: of a length that varies, and told apart from any other.
 */
export function expectedStoreValue(name: string, revision: number): SecretValue {
  const seed = createHash("sha256").update(`${name} ${revision}`).digest();
  const length = seed.readUInt16BE(0) % 8_192;
  return SecretValue.fromBytes(Buffer.concat([Buffer.alloc(length, seed), seed]));
}
