import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** First byte of everything sealed, so that another algorithm can be introduced. */
const FORMAT = 1;

/** Values that may be sealed under one key with random nonces (NIST SP 800-38D, 8.3). */
export const MAX_SEALS = 2 ** 32;

/** Bytes of a key for {@link seal}. */
export const KEY_BYTES = 32;

/**
 * Encrypts with AES-256-GCM: format byte, random nonce, ciphertext, tag. `context` is authenticated but not stored: the
 * same one is needed to decrypt, so a sealed value that was moved to another row does not open. Random nonces are safe
 * for 2^32 values under one key (NIST SP 800-38D, 8.3).
 */
export function seal(key: Uint8Array, context: string, plain: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** Decrypts what {@link seal} returned; undefined if the key, the context or a single bit differs. */
export function unseal(key: Uint8Array, context: string, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== FORMAT) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(Buffer.from(context))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}
