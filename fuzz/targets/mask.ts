import assert from "node:assert/strict";
import { createMask, OUTPUT_MASK } from "@flyte-secrets/cli/testing";
import { SecretValue } from "@flyte-secrets/core";
import type { FuzzTarget } from "../target.ts";

/** Longest of what the pieces of a stream are cut to. */
const PIECES = [1, 3, 7, 64];

/** The first line is a value, the rest is output: never with the value in it, and the same however it is cut. */
export const target: FuzzTarget = {
  seeds: [
    "value\nsome value, dmFsdWU=, 76616c7565 and valuevalue",
    "ab ab ab\nab ab ab ab ab",
    'q"uo te\n{"a":"q\\"uo te"} q%22uo%20te',
    "long".repeat(20).concat("\n", "long".repeat(50)),
  ],
  dictionary: ["value", "dmFsdWU", "76616c7565", "%20", '\\"', "\\u0076", "<Buffer 76 61", "***"],
  // Each is filtered five times over, once byte by byte.
  maxBytes: 1_024,
  open: () => ({
    run(bytes) {
      const end = bytes.indexOf(10);
      if (end < 0) return;
      const value = Buffer.from(bytes.subarray(0, end));
      const output = Buffer.from(bytes.subarray(end + 1));
      const mask = createMask();
      const masked = mask.add(SecretValue.fromBytes(value));
      const whole = filtered(mask.filter(), [output]);
      if (value.length >= 4 && masked && !OUTPUT_MASK.includes(value.toString("latin1"))) {
        const traces = [
          value,
          Buffer.from(value.toString("base64")),
          Buffer.from(value.toString("hex")),
          Buffer.from(value.toString("hex").toUpperCase()),
        ];
        for (const trace of traces) {
          // Where stars of the value meet those of the mask, it only looks as if it were there.
          if (!trace.includes(42)) assert(!whole.includes(trace), `${trace} was not masked`);
        }
      }
      for (const size of PIECES) {
        const pieces = [];
        for (let at = 0; at < output.length; at += size) pieces.push(output.subarray(at, at + size));
        assert(filtered(mask.filter(), pieces).equals(whole), `cut into pieces of ${size} it differs`);
      }
    },
  }),
};

function filtered(filter: { write(chunk: Uint8Array): Buffer; end(): Buffer }, pieces: readonly Uint8Array[]): Buffer {
  const written = pieces.map((piece) => filter.write(piece));
  return Buffer.concat([...written, filter.end()]);
}
