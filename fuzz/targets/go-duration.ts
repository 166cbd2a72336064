import assert from "node:assert/strict";
import { parseGoDuration } from "@flyte-secrets/core";
import { type FuzzTarget, textOf } from "../target.ts";

/** Durations of settings and of `?timeout=`. */
export const target: FuzzTarget = {
  seeds: ["10s", "1m30s", "-1.5h", "0", "+.5ms", "1h1h1h", "100\u00b5s", "2us3ns"],
  dictionary: ["ns", "us", "\xc2\xb5s", "ms", "s", "m", "h", "11h", "1.", ".5", "0", "+", "-"],
  open: () => ({
    run(bytes) {
      const text = textOf(bytes);
      const ms = parseGoDuration(text);
      if (ms === undefined) return;
      assert(!Number.isNaN(ms) && !Object.is(ms, -0), `${ms}`);
      assert.equal(ms < 0, text.startsWith("-") && ms !== 0);
    },
  }),
};
