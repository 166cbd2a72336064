import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSecretId } from "@flyte-secrets/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, taskPod, writeManifest } from "../testing/pod-manifests.ts";
import { runCli } from "../testing/run-cli.ts";
import { type AwsServer, startAws } from "../testing/start-aws.ts";

/** The tasks of these tests belong to it. */
const SCOPE = ["-p", "shop", "-d", "production"];
const TASKS = join(import.meta.dirname, "../../testdata/run/secrets.mjs");
const TYPE = "--webhook.embeddedSecretManagerConfig.type";
const home = mkdtempSync(join(tmpdir(), "other-managers-"));
const env = { HOME: home, PATH: process.env.PATH ?? "", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

let aws: AwsServer;
let flags: string[];
beforeAll(async () => {
  aws = await startAws();
  const awsConfig = "--webhook.embeddedSecretManagerConfig.awsConfig";
  flags = [TYPE, "AWS", `${awsConfig}.region`, "us-east-1", `${awsConfig}.endpoint`, aws.url];
  aws.secrets.set(
    encodeSecretId({ org: "flyte", project: "shop", domain: "production", name: "api-key" }),
    "a-value-in-aws",
  );
  aws.secrets.set("my-db", '{"password":"pw1"}');
});
afterAll(async () => {
  await aws?.close();
  rmSync(home, { recursive: true });
});

const cli = (...args: string[]) => runCli({ args, env, cwd: home });

describe("with values in another secret manager and no store", () => {
  it("explain finds what the webhook would find there by group, and says where", async () => {
    const group = ["password", "--group", "my-db", "--mount", "env"];
    const found = await cli("explain", ...group, ...SCOPE, ...flags, "-o", "json");
    expect([found.exitCode, found.stderr]).toEqual([0, ""]);
    expect(JSON.parse(found.stdout)).toContainEqual({
      manager: "Embedded by group",
      outcome: "serves",
      places: [{ kind: "AWS secret", name: "my-db key password", found: true }],
      injects: [
        { kind: "variable", name: "FLYTE_SECRETS_ENV_PREFIX=_UNION_" },
        { kind: "variable", name: "_UNION_PASSWORD" },
      ],
    });
    const missing = await cli("explain", "nothing", "--group", "my-db", ...SCOPE, ...flags);
    expect(missing).toMatchObject({
      exitCode: 1,
      stderr:
        "error: no secret manager serves nothing\n" +
        "  Create it in AWS under one of the names that it was looked for by.\n",
    });
  });

  it("mutate gives a pod its secret by group", async () => {
    const pod = taskPod([ask("password", { group: "my-db" })]);
    const labels = { ...pod.metadata.labels, domain: "production" };
    writeManifest(home, "pod.json", { ...pod, metadata: { ...pod.metadata, namespace: "shop-production", labels } });
    const { exitCode, stdout } = await cli("mutate", "-f", "pod.json", "-o", "patch", ...flags);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('"name": "_UNION_PASSWORD"')]);
  });

  it("run gives a task its secret from there, masked", async () => {
    expect(await cli("run", TASKS, "printing", ...SCOPE, ...flags)).toEqual({
      exitCode: 0,
      stdout: 'out ***\n{"key":"***"}\n',
      stderr: "err ***\n",
    });
  });

  it("run says that it can't have the secret when the manager is not there", async () => {
    const vault = ["--webhook.embeddedSecretManagerConfig.vaultConfig.address", "http://127.0.0.1:1"];
    const token = [
      "--webhook.embeddedSecretManagerConfig.vaultConfig.auth",
      "token",
      "--webhook.embeddedSecretManagerConfig.vaultConfig.tokenFile",
      join(home, "token"),
    ];
    writeFileSync(join(home, "token"), "a-token");
    const run = await cli("run", TASKS, "printing", ...SCOPE, TYPE, "Vault", ...vault, ...token);
    expect([run.exitCode, run.stdout, run.stderr]).toEqual([
      1,
      "",
      expect.stringMatching(/^error: .*Vault.*ECONNREFUSED/),
    ]);
  });

  it("run says which managers can't be asked here", async () => {
    const run = await cli("run", TASKS, "printing", ...SCOPE, ...flags, "--webhook.secretManagerTypes", "K8s,Embedded");
    expect([run.exitCode, run.stderr]).toEqual([
      0,
      "note: K8s of webhook.secretManagerTypes can't be asked without a cluster: only Global and Embedded are\nerr ***\n",
    ]);
  });
});
