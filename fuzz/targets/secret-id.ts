import assert from "node:assert/strict";
import {
  checkSecretId,
  decodeSecretId,
  encodeSecretId,
  imagePullSecretName,
  kubernetesSecretName,
  type SecretId,
} from "@flyte-secrets/core";
import { decodeAzureName, encodeAzureName } from "@flyte-secrets/lookup/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const INVALID = ["invalid_argument"] as const;

/** Encoded ids, Azure's names, and the ids that they stand for. */
export const target: FuzzTarget = {
  seeds: [
    "u__org__flyte__domain__prod__project__payments__key__stripe",
    "u__org__flyte__domain____project____key__global",
    "u__org__flyte__domain__dev__project____key__a__b",
    "1-flyte-prod-p01x-ONUXI2DF",
    "1-flyte---ME",
  ],
  dictionary: ["__", "u__org__", "__domain__", "__project__", "__key__", "flyte", "-", "00", "01", "1-"],
  open: () => ({
    run(bytes) {
      const text = textOf(bytes);
      const id = unlessRefused(INVALID, () => decodeSecretId(text));
      // A project without a domain can be spelled; only what is written needs one.
      if (id && (id.project === "" || id.domain !== "")) assert.equal(encodeSecretId(id), text);
      const legal = id && unlessRefused(INVALID, () => checkedId(id));
      if (legal) {
        assert.deepEqual(decodeSecretId(encodeSecretId(legal)), legal);
        assert.match(kubernetesSecretName(legal), /^[0-9a-f]{32}$/);
        assert.match(imagePullSecretName(legal), /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/);
        const azure = unlessRefused(INVALID, () => encodeAzureName(legal));
        if (azure !== undefined) assert.deepEqual(decodeAzureName(azure), legal);
      }
      const fromAzure = unlessRefused(INVALID, () => decodeAzureName(text));
      if (fromAzure) assert.equal(typeof fromAzure.name, "string");
    },
  }),
};

function checkedId(id: SecretId): SecretId {
  checkSecretId(id);
  return id;
}
