// Backup and restore as docs/operations.md prints them, on a real API server.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSecretId, kubernetesSecretName } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith, type Requirement } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { requireHelm } from "./helm.ts";
import { type InstallationSite, startInstallationSite } from "./installation-site.ts";

const API_KEY = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const SCOPE = ["-p", "shop", "-d", "development"];
const hasJq = spawnSync("jq", ["--version"]).status === 0;
const jq: Requirement = hasJq ? { missing: false } : { missing: true, what: "jq", enable: "apt-get install jq" };
const requirement = [jq, requireHelm()].find(({ missing }) => missing) ?? requireKubernetes();

describeWith(requirement, "a backup of an installation", () => {
  let site: InstallationSite;
  beforeAll(async () => {
    site = await startInstallationSite();
  });
  afterAll(() => site?.close());

  /** Runs a command of the page, for the release of the harness. */
  const run = async (command: string) => {
    const { programs, adminKubeconfig, directory } = site.cluster;
    const env = { KUBECONFIG: adminKubeconfig, PATH: `${programs}:${process.env.PATH}` };
    const script = command.replaceAll("-n flyte-secrets", "-n flyte");
    const result = await runProgram("bash", ["--norc", "-euo", "pipefail", "-c", script], { env, cwd: directory });
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
  };

  test("brings every secret back, and the webhook follows without a restart", async () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");
    const [, backup = ""] = /```console\n\$ (kubectl get secrets[\s\S]*?)```/.exec(page) ?? [];
    const [, restore = ""] = /Restore by `([^`]+)`/.exec(page) ?? [];
    await site.install();
    const secrets = await site.startService();
    await secrets(["create", "secret", "api-key", ...SCOPE, "--from-file", "-"], "value");
    await secrets(["create", "secret", "another", "--from-file", "-"], "value");
    await site.startWebhook();
    await site.untilAdmitted("flyte");

    await run(backup);
    await site.cluster.kubectl(["delete", "secrets", "-n", "flyte", "-l", "app.flyte.org/managed=true"]);
    await run(restore);
    expect(await secrets(["get", "secret", ...SCOPE])).toContain("api-key");
    expect((await site.createPod("flyte")).env).toContainEqual({
      name: "KEY",
      valueFrom: { secretKeyRef: { name: kubernetesSecretName(API_KEY), key: encodeSecretId(API_KEY) } },
    });
    expect(site.refusals()).toEqual([]);
  });
});
