/** Both directions of RFC 4648 base32 without padding, over one alphabet. */
export interface Base32 {
  encode(bytes: Uint8Array): string;
  /** Undefined for a character outside the alphabet or a length that no whole number of bytes has. */
  decode(text: string): Uint8Array | undefined;
}

/** RFC 4648's own alphabet: names in Azure Key Vault. */
export const BASE32_STANDARD: Base32 = createBase32("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

/** Flyte's alphabet for request annotations, legal in Kubernetes names: request annotations and volume names. */
export const BASE32_LOWER: Base32 = createBase32("abcdefghijklmnopqrstuvwxyz123456");

/** The UTF-8 bytes of a text in {@link BASE32_LOWER}. */
export function encodeBase32Lower(text: string): string {
  return BASE32_LOWER.encode(new TextEncoder().encode(text));
}

function createBase32(alphabet: string): Base32 {
  const digits = new Int8Array(128).fill(-1);
  for (let digit = 0; digit < alphabet.length; digit++) digits[alphabet.charCodeAt(digit)] = digit;

  return {
    encode(bytes) {
      let text = "";
      let bits = 0;
      let buffer = 0;
      for (const byte of bytes) {
        buffer = ((buffer << 8) | byte) & 0xfff;
        bits += 8;
        while (bits >= 5) {
          bits -= 5;
          text += alphabet.charAt((buffer >> bits) & 31);
        }
      }
      return bits === 0 ? text : text + alphabet.charAt((buffer << (5 - bits)) & 31);
    },

    decode(text) {
      // From Buffer's pool: a typed array of its own costs more than the decoding.
      const bytes = Buffer.allocUnsafe((text.length * 5) >> 3);
      let length = 0;
      let bits = 0;
      let buffer = 0;
      for (let index = 0; index < text.length; index++) {
        const digit = digits[text.charCodeAt(index)] ?? -1;
        if (digit < 0) return undefined;
        buffer = ((buffer << 5) | digit) & 0xfff;
        bits += 5;
        if (bits >= 8) {
          bits -= 8;
          bytes[length++] = buffer >> bits;
        }
      }
      // Five bits or more left over: the last character belongs to a byte that was cut off.
      return bits < 5 ? bytes : undefined;
    },
  };
}
