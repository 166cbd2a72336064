import assert from "node:assert/strict";
import { decodeExecCredential, EXEC_VERSIONS } from "@flyte-secrets/kube/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

/** What a credential plugin prints. */
export const target: FuzzTarget = {
  seeds: [
    '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}}',
    '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"clientCertificateData":"c","clientKeyData":"k"}}',
    '{"status":null}',
  ],
  dictionary: ["token", "expirationTimestamp", "clientKeyData", "status", "\\r\\n", "\\u0000", "2030-99-99"],
  open: () => ({
    run(bytes) {
      const [version = ""] = EXEC_VERSIONS;
      const decode = () => decodeExecCredential("plugin", version, textOf(bytes));
      const credential = unlessRefused(["credentials_refused"], decode);
      if (credential === undefined) return;
      const { identity, endsAt } = credential;
      assert(identity.headers.authorization !== undefined || (identity.cert && identity.key));
      assert(!Number.isNaN(endsAt));
    },
  }),
};
