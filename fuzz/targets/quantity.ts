import assert from "node:assert/strict";
import { parseQuantity } from "@flyte-secrets/config/testing";
import { type FuzzTarget, textOf } from "../target.ts";

/** Kubernetes quantities of settings. */
export const target: FuzzTarget = {
  seeds: ["500Mi", "200m", "1.5", "100M", "1e3", "-.5k", "0", "1E-3"],
  dictionary: ["Ki", "Mi", "Ei", "n", "u", "k", "E", "e", "1e", ".", "00"],
  open: () => ({
    run(bytes) {
      const number = parseQuantity(textOf(bytes));
      assert(number === undefined || !Number.isNaN(number), `${number}`);
    },
  }),
};
