import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/server/src/clock.ts";
import { createExecCredentials } from "../../packages/server/src/kube/exec-credentials.ts";
import { type FuzzTarget, unlessRefusedLater } from "../target.ts";

/** What a credential plugin prints. */
export const target: FuzzTarget = {
  seeds: [
    '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2030-01-01T00:00:00Z"}}',
    '{"status":{"clientCertificateData":"c","clientKeyData":"k"}}',
    '{"status":null}',
  ],
  dictionary: ["token", "expirationTimestamp", "clientKeyData", "status", "\\r\\n", "\\u0000", "2030-99-99"],
  open() {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-fuzz-"));
    const file = join(directory, "output");
    const exec = { directory, value: { apiVersion: "client.authentication.k8s.io/v1", command: "cat", args: [file] } };
    const cluster = { server: "https://127.0.0.1:6443" };
    const env = { PATH: process.env.PATH };
    return {
      async run(bytes) {
        writeFileSync(file, bytes);
        const credentials = createExecCredentials({ exec, cluster, env, clock: systemClock });
        const identity = await unlessRefusedLater(["credentials_refused"], () => credentials.current());
        if (identity) assert(identity.headers.authorization !== undefined || (identity.cert && identity.key));
      },
      async close() {
        rmSync(directory, { recursive: true });
      },
    };
  },
};
