import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readClientConfig } from "@flyte-secrets/sdk/testing";
import { type FuzzTarget, unlessRefusedLater } from "../target.ts";

/** Flyte's client configuration, as the SDK and the command read it. */
export const target: FuzzTarget = {
  seeds: [
    "admin:\n  endpoint: dns:///localhost:8093\n  insecure: true\n  authType: ClientSecret\n  clientId: c\n  clientSecretEnvVar: V\ntask: {project: p, domain: d, org: o}\n",
    "admin: {endpoint: https://h, authType: ExternalCommand, command: [a, b], proxyCommand: [c], caCertFilePath: ca.pem}\n",
  ],
  dictionary: [
    "admin:",
    "task:",
    "endpoint: ",
    "insecure: ",
    "command: [",
    "&a",
    "*a",
    "<<: *a",
    "!!binary",
    "~",
    "---\n",
    "? ",
  ],
  // The YAML parser looks for keys given twice one by one: long inputs are slow, which the limits of each reader bound.
  maxBytes: 1_024,
  open() {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-fuzz-"));
    const file = join(directory, "config.yaml");
    const environment = { variables: {}, home: directory, cwd: directory };
    return {
      async run(bytes) {
        writeFileSync(file, bytes);
        await unlessRefusedLater(["invalid_config"], () => readClientConfig(file, environment));
      },
      async close() {
        rmSync(directory, { recursive: true });
      },
    };
  },
};
