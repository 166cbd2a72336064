import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadConfig } from "@flyte-secrets/config";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const SEPARATOR = "\n===\n";

/** A configuration: a YAML file, then lines `NAME=value` of variables, then of flags. */
export const target: FuzzTarget = {
  seeds: [
    `secret:\n  server: {port: 8093, host: 127.0.0.1}\n  auth: {mode: token}\nwebhook:\n  webhookTimeout: 10s\n  secretName: x\nexecutor: {metricsBindAddress: ":10254"}\n${SEPARATOR}SECRET_SERVER_PORT=1${SEPARATOR}secret.server.port=2`,
    `webhook:\n  scopeBinding: {mode: enforce, trustedNamespaces: [a]}\n  embeddedSecretManagerConfig: {type: AWS, awsConfig: {region: r}, delivery: Inline}\n  vaultSecretManager: {role: r, annotations: {a: b}}\nlogger: {level: 4}${SEPARATOR}${SEPARATOR}`,
    `a: &a {type: K8s}\nwebhook: {embeddedSecretManagerConfig: {<<: *a}, imagePullSecrets: {enabled: true}}${SEPARATOR}HOME=x${SEPARATOR}`,
  ],
  dictionary: [
    "secret:",
    "webhook:",
    "executor:",
    "logger:",
    "otel:",
    "kubernetes:",
    "secret.server.",
    "webhook.",
    "null",
    "true",
    "[]",
    "{}",
    "&a",
    "*a",
    "<<: *a",
    "10s",
    "500Mi",
    "~",
    "~/",
    "$(",
    "__proto__",
    "constructor",
    ": ",
    "\n  ",
    "SECRET_",
    "!!binary",
  ],
  // The YAML parser looks for keys given twice one by one: long inputs are slow, which the limits of each reader bound.
  maxBytes: 1_024,
  open() {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-fuzz-"));
    return {
      run(bytes) {
        const [yaml = "", env = "", flags = ""] = textOf(bytes).split(SEPARATOR);
        writeFileSync(join(directory, "config.yaml"), yaml);
        const sources = {
          files: ["config.yaml"],
          env: assignments(env),
          flags: assignments(flags),
          home: directory,
          cwd: directory,
        };
        const config = unlessRefused(["invalid_config"], () => loadConfig(sources));
        if (config) assert(config.secret.server.port >= 0 && config.secret.server.port <= 65_535);
      },
      async close() {
        rmSync(directory, { recursive: true });
      },
    };
  },
};

function assignments(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}
