import { createHash } from "node:crypto";

/** What a task of these examples tells about the secret that it was given. */
export interface Received {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Stands for the work that a real task does with its secret: it prints it, which nobody should, and takes its digest.
 * With `expected`, any other digest makes the task fail.
 */
export function receive(task: string, secret: string | Uint8Array | undefined, expected?: string): Received {
  if (secret === undefined) throw new Error(`${task} was not given its secret`);
  console.log(
    `${task} prints its secret:`,
    typeof secret === "string" ? secret : Buffer.from(secret).toString("base64"),
  );
  const sha256 = createHash("sha256").update(secret).digest("hex");
  if (expected !== undefined && sha256 !== expected) throw new Error(`${task} was given another value`);
  return { bytes: Buffer.byteLength(secret), sha256 };
}
