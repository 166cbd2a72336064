import assert from "node:assert/strict";
import {
  decodeListToken as decodeKubernetes,
  decodePageToken,
  encodeListToken as encodeKubernetes,
  encodePageToken,
} from "@flyte-secrets/store/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const SCOPE = { org: "flyte", domain: "d", project: "p" };
const FILTER = { scope: SCOPE, includeSystem: false };
const LISTING = { ...FILTER, source: ["c", "n"] };

/** Tokens of both stores, as somebody could send them, and positions that tokens are made of. */
export const target: FuzzTarget = {
  seeds: ["", "AAAAAAAAAAAAAAAAAAAAAFsiZmx5dGUiXQ", encodeKubernetes(LISTING, '{"v":"meta.k8s.io/v1"}'), "a/b=+\n"],
  dictionary: ["=", "==", "-", "_", "AAAA", '["flyte","d","p","name"]'],
  open() {
    const keyring = { storeId: "s", pageTokenKey: new Uint8Array(32) };
    return {
      run(bytes) {
        const text = textOf(bytes);
        const embedded = unlessRefused(["page_token_invalid"], () => decodePageToken(keyring, FILTER, text));
        if (embedded)
          assert.deepEqual(
            Buffer.from(encodePageToken(keyring, FILTER, embedded), "base64url"),
            Buffer.from(text, "base64url"),
          );
        const kubernetes = unlessRefused(["page_token_invalid"], () => decodeKubernetes(LISTING, text));
        if (kubernetes !== undefined) {
          assert.deepEqual(
            Buffer.from(encodeKubernetes(LISTING, kubernetes), "base64url"),
            Buffer.from(text, "base64url"),
          );
        }
        const id = { ...SCOPE, name: text };
        assert.deepEqual(decodePageToken(keyring, FILTER, encodePageToken(keyring, FILTER, id)), id);
        if (text !== "") assert.equal(decodeKubernetes(LISTING, encodeKubernetes(LISTING, text)), text);
      },
    };
  },
};
