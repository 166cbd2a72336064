import assert from "node:assert/strict";
import { BASE32_LOWER, BASE32_STANDARD } from "@flyte-secrets/core/testing";
import { type FuzzTarget, textOf } from "../target.ts";

/** Base32 of annotations and Azure names, both directions. */
export const target: FuzzTarget = {
  seeds: ["", "me", "mfrggzdf", "MFRGGZDFMY", "a", "aaa", "\xff\x00"],
  dictionary: ["me", "mz", "77", "66", "a", "="],
  open: () => ({
    run(bytes) {
      for (const base32 of [BASE32_LOWER, BASE32_STANDARD]) {
        assert(Buffer.from(bytes).equals(base32.decode(base32.encode(bytes)) ?? Buffer.of(0)));
        const text = textOf(bytes);
        const decoded = base32.decode(text);
        // The last character may have bits that no byte has: they are dropped, as in Go.
        if (decoded) assert(base32.encode(decoded).slice(0, -1) === text.slice(0, -1));
      }
    },
  }),
};
