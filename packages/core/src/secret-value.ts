import { inspect } from "node:util";

const REDACTED = "[secret value]";
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The bytes of a secret, which are not printable: string conversion, JSON and `util.inspect` return a placeholder, so
 * that a value never appears in a log or an error by accident. Only deliveries and stores call the `reveal` methods.
 * The bytes are copied when the value is created; callers must not modify the revealed ones.
 */
export class SecretValue {
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static fromBytes(bytes: Uint8Array): SecretValue {
    return new SecretValue(new Uint8Array(bytes));
  }

  static fromText(text: string): SecretValue {
    return new SecretValue(new TextEncoder().encode(text));
  }

  /** Length in bytes. */
  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  /** The bytes themselves: read-only by contract. */
  revealBytes(): Uint8Array {
    return this.#bytes;
  }

  /** The value as text, or undefined when the bytes are not valid UTF-8. A leading byte order mark is kept. */
  revealText(): string | undefined {
    try {
      return strictUtf8.decode(this.#bytes);
    } catch {
      return undefined;
    }
  }

  /** The value in standard base64 with padding. */
  revealBase64(): string {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength).toString("base64");
  }

  equals(other: SecretValue): boolean {
    return Buffer.compare(this.#bytes, other.#bytes) === 0;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
