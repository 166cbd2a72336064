import type { ErrorCode, SecretsError } from "@flyte-secrets/core";

/** Something that reads foreign bytes. A file of `targets/` each, which exports it as `target`. */
export interface FuzzTarget {
  /** Inputs to begin with: legal ones, so that mutations of them get past the first check. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Words of its language, which mutations insert. */
  readonly dictionary: readonly string[];
  /** Default 4096. */
  readonly maxBytes?: number;
  /** Makes what the runs share, a listener for example. */
  open(): Promise<OpenTarget> | OpenTarget;
}

/** A target that is ready for inputs. */
export interface OpenTarget {
  /**
   * More inputs to begin with, made on the spot: keys and certificates for example, which don't belong into a
   * repository.
   */
  readonly seeds?: readonly (string | Uint8Array)[];
  /**
   * Reads one input. Returns when it is taken or refused as it should be; whatever is thrown is a find. Must not depend
   * on the inputs before.
   */
  run(bytes: Uint8Array): Promise<void> | void;
  close?(): Promise<void>;
}

/** What `read` returns; undefined when it refuses its input with one of the codes. Any other error is passed on. */
export function unlessRefused<T>(codes: readonly ErrorCode[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    return passOn(codes, error);
  }
}

/** As {@link unlessRefused}, for what answers later. */
export async function unlessRefusedLater<T>(
  codes: readonly ErrorCode[],
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    return passOn(codes, error);
  }
}

/** How much of foreign text a message may quote, with some room for what is ours in it. */
const MAX_MESSAGE = 2_000;

function passOn(codes: readonly ErrorCode[], error: unknown): undefined {
  // By name: core is loaded twice where a target imports a file of it, and each has a class of its own.
  if (!(error instanceof Error) || error.name !== "SecretsError") throw error;
  const { code, message } = error as SecretsError;
  if (!codes.includes(code)) throw error;
  if (message.length > MAX_MESSAGE) throw new Error(`the message is ${message.length} characters long`);
  return undefined;
}

/** The input as text, as `Buffer` decodes it. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
