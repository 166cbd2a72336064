/** What {@link isGoodToken} asks for. */
export const GOOD_TOKEN = "one line of 22 or more letters, digits and -._~+/, at least 8 of them different";

/**
 * Whether clients can send it after `Bearer` (RFC 6750 section 2.1), and it can be 128 random bits: 22 characters of base64url have so
 * many. One letter or a short word, repeated, is long and not random, so at least 8 of them have to differ.
 */
export function isGoodToken(token: string): boolean {
  return /^[A-Za-z0-9\-._~+/]{22,}=*$/.test(token) && new Set(token).size >= 8;
}
