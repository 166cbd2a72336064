// The drills of docs/operations.md that need no kubelet, by the commands that the page prints, on a real API server.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeSecretId } from "@flyte-secrets/core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { requireKubernetes } from "../kubernetes/cluster.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { requireHelm } from "./helm.ts";
import { type InstallationSite, startInstallationSite, writingIn } from "./installation-site.ts";

const API_KEY = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const SCOPE = ["-p", "shop", "-d", "development"];
/** Where tasks' pods are here: the release of the harness is in `flyte`. */
const TASKS = "shop-development";

const page = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8");

/** The commands of a drill as the page has them, for the namespaces of the harness. */
function commandsOf(drill: string): string[] {
  const [, todo = ""] = new RegExp(`^\\| ${drill} \\| (.*?) \\|`, "m").exec(page) ?? [];
  return [...todo.matchAll(/`([^`]+)`/g)].map(([, command = ""]) =>
    command.replace("-n flyte ", `-n ${TASKS} `).replace("-n flyte-secrets ", "-n flyte "),
  );
}

const helm = requireHelm();

describeWith(helm.missing ? helm : requireKubernetes(), "drills", () => {
  let site: InstallationSite;
  beforeAll(async () => {
    site = await startInstallationSite(TASKS);
  });
  afterAll(() => site?.close());
  afterEach(() => site.clear());

  const run = async (command = "") => {
    const { programs, adminKubeconfig, directory } = site.cluster;
    const env = { KUBECONFIG: adminKubeconfig, PATH: `${programs}:${process.env.PATH}` };
    return await runProgram("bash", ["--norc", "-euo", "pipefail", "-c", command], { env, cwd: directory });
  };
  /** What the variable of a new pod holds when its container starts. */
  const valueInNewPod = async () => {
    const { env = [] } = await site.createPod(TASKS);
    const [reference] = env.flatMap((each) => ("valueFrom" in each ? [each.valueFrom] : []));
    const { name } = (reference as { secretKeyRef: { name: string } }).secretKeyRef;
    const { data } = JSON.parse(await site.cluster.kubectl(["get", "secret", name, "-n", TASKS, "-o", "json"]));
    return Buffer.from(data[encodeSecretId(API_KEY)], "base64").toString();
  };
  async function install() {
    await site.install(writingIn(TASKS));
    const secrets = await site.startService();
    await secrets(["create", "secret", "api-key", ...SCOPE, "--from-file", "-"], "first");
    const webhook = await site.startWebhook();
    await site.untilAdmitted(TASKS);
    return { secrets, webhook };
  }

  test("no webhook runs: a pod with the label is refused, others are not", async () => {
    const { webhook } = await install();
    const [scale, create = ""] = commandsOf("no webhook runs");
    expect(await run(scale)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("scaled") });
    // There is no controller that would.
    await webhook.stop();
    expect(await run(create)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("failed calling webhook") });
    expect(await run(create.replace(/ --labels=\S+/, ""))).toMatchObject({ exitCode: 0 });
    await site.startWebhook();
    await site.untilAdmitted(TASKS);
    expect(await run(create.replace("drill", "after"))).toMatchObject({ exitCode: 0 });
  });

  test("rights are lost: rejection and log name the right, and an upgrade gives it back", async () => {
    const { secrets, webhook } = await install();
    const [revoke] = commandsOf("rights are lost");
    expect(await run(revoke)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("deleted") });
    expect(await valueInNewPod()).toBe("first");
    await secrets(["update", "secret", "api-key", ...SCOPE, "--from-file", "-"], "second");
    const lacks = `we have no permission to create secrets in namespace ${TASKS}`;
    await vi.waitFor(() => expect(site.createPod(TASKS)).rejects.toThrow(lacks), { timeout: 20_000, interval: 200 });
    expect(webhook.output()).toContain(lacks);
    await site.upgrade(writingIn(TASKS));
    await vi.waitFor(async () => expect(await valueInNewPod()).toBe("second"), { timeout: 20_000, interval: 200 });
  });

  test("a secret leaked: new pods have the new value", async () => {
    const { secrets } = await install();
    expect(await valueInNewPod()).toBe("first");
    const [update = ""] = commandsOf("a secret leaked");
    await secrets([...update.split(" ").slice(1), "api-key", ...SCOPE, "--from-file", "-"], "second");
    await vi.waitFor(async () => expect(await valueInNewPod()).toBe("second"), { timeout: 20_000, interval: 50 });
  });
});
