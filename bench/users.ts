import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeSecretId, kubernetesSecretName, managedLabels, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { startCluster } from "../e2e/kubernetes/cluster.ts";
import { FLYTE_CLI, FLYTE_VERSION, flytePythonOf } from "../e2e/support/flyte-python.ts";
import { startFlyteServer } from "../e2e/support/flyte-server.ts";
import { UNLIMITED } from "./cluster-client.ts";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "5");
const SECRETS = Number(process.env.BENCH_IMPORTS ?? "10000");
const NAMESPACE = "flyte";
const SCOPE = { domain: "development", project: "bench" };
const CLI = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");

/** Printed by both tasks. */
const TASK_OUTPUT = "the task has begun";

/** A command of a user, and what it must print for its time to count. */
interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly prints: string;
  /** How often. Default: at least once. */
  readonly times?: number;
  /** Taken is the time to its first output, not to its end. */
  readonly untilOutput?: boolean;
}

type Tool = "flyte-secrets" | "Flyte's command" | "kubectl";

/**
 * What a user waits for, from exec to exit: our command and Flyte's through one service of ours over a real API server,
 * and kubectl on the same API server without a service between. Client-side limits are out of the way.
 */
export async function benchUsers(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.adopt(mkdtempSync(join(tmpdir(), "flyte-secrets-bench-")), (made) =>
    rmSync(made, { recursive: true }),
  );
  const cluster = opened.adopt(await startCluster(), (started) => started.close());
  await cluster.kubectl(["create", "namespace", NAMESPACE]);
  const settings = {
    "secret.server.host": "127.0.0.1",
    "secret.webhookURL": "",
    "secret.store.type": "Kubernetes",
    "secret.kubernetes.kubeconfig": cluster.adminKubeconfig,
    "secret.kubernetes.qps": UNLIMITED,
    "secret.kubernetes.burst": UNLIMITED,
  };
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const server = opened.adopt(await startFlyteServer("plain", flags), async (started) => void (await started.close()));
  // A user's own machine, where `run` finds the secret.
  const home = join(folder, "home");
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  const id = { org: "flyte", domain: "", project: "", name: "api-key" };
  await store.create(id, { value: SecretValue.fromText("x".repeat(32)), type: "generic" });
  await store.close();

  const scope = ["--project", SCOPE.project, "--domain", SCOPE.domain];
  const ours = (...args: string[]) => ({ file: process.execPath, args: [CLI, ...args], env: server.serve.env });
  const flyte = (...args: string[]) => ({
    file: flytePythonOf(FLYTE_VERSION),
    args: [FLYTE_CLI, ...args],
    env: { HOME: server.home, COLUMNS: "250", NO_COLOR: "1", TERM: "dumb" },
    cwd: server.home,
  });
  const kubectl = (...args: string[]) => ({
    file: join(cluster.programs, "kubectl"),
    args: [`--kubeconfig=${cluster.adminKubeconfig}`, `--namespace=${NAMESPACE}`, ...args],
    env: { HOME: folder },
  });
  const measured: Row[] = [];
  const measure = async (what: string, rounds: number, commands: (round: number) => Partial<Record<Tool, Command>>) => {
    const times = new Map<string, number[]>();
    for (let round = 0; round < rounds; round++) {
      for (const [tool, command] of Object.entries(commands(round))) {
        times.set(tool, [...(times.get(tool) ?? []), await timeCommand(command)]);
      }
    }
    const cell = (tool: Tool) => (times.has(tool) ? toSpread(times.get(tool) ?? []) : "");
    const names = { "flyte-secrets, ms": cell("flyte-secrets"), "Flyte's command, ms": cell("Flyte's command") };
    measured.push({ what, ...names, "kubectl, ms": cell("kubectl") });
  };

  await measure("create", ROUNDS, (round) => ({
    "flyte-secrets": { ...ours("create", "secret", `ours-${round}`, "--value", "x", ...scope), prints: "ours" },
    "Flyte's command": {
      ...flyte("create", "secret", `theirs-${round}`, "--value", "x", ...scope),
      prints: "",
    },
    kubectl: { ...kubectl("create", "secret", "generic", `kubectl-${round}`, "--from-literal=k=x"), prints: "created" },
  }));
  await measure("get", ROUNDS, () => ({
    "flyte-secrets": { ...ours("get", "secret", "ours-0", ...scope), prints: "ours-0" },
    "Flyte's command": { ...flyte("get", "secret", "ours-0", ...scope), prints: "ours-0" },
    kubectl: { ...kubectl("get", "secret", "kubectl-0"), prints: "kubectl-0" },
  }));
  const names = Array.from({ length: SECRETS }, (_, n) => `many-${n}`);
  const file = join(folder, "many.json");
  writeFileSync(file, JSON.stringify(Object.fromEntries(names.map((name) => [name, `${name}-x`]))));
  const manifest = join(folder, "manifest.json");
  writeFileSync(manifest, JSON.stringify({ apiVersion: "v1", kind: "List", items: names.map(secretOf) }));
  await measure(`import of ${SECRETS}`, 1, () => ({
    kubectl: { ...kubectl("create", "--filename", manifest), prints: " created", times: SECRETS },
  }));
  await timeCommand({ ...kubectl("delete", "secrets", "--all", "--wait=false"), prints: "" });
  const importOurs = { ...ours("import", file, ...scope), prints: "" };
  const kubectlRow = measured.pop() ?? {};
  measured.push({ ...kubectlRow, "flyte-secrets, ms": await timeCommand(importOurs) });
  await measure(`list of ${SECRETS}`, Math.min(ROUNDS, 3), () => ({
    "flyte-secrets": { ...ours("get", "secret", ...scope), prints: "many-", times: SECRETS },
    "Flyte's command": { ...flyte("-of", "json-raw", "get", "secret", ...scope), prints: "many-", times: SECRETS },
    kubectl: { ...kubectl("get", "secrets"), prints: "Opaque", times: SECRETS },
  }));
  for (const task of ["hello-task.mjs", "hello_task.py"])
    copyFileSync(join(import.meta.dirname, task), join(folder, task));
  await measure("first output of `run`", ROUNDS, () => ({
    "flyte-secrets": {
      ...ours("run", join(import.meta.dirname, "hello-task.mjs"), "main"),
      env: { HOME: home },
      prints: TASK_OUTPUT,
      untilOutput: true,
    },
    "Flyte's command": {
      ...flyte("run", "--local", "hello_task.py", "main"),
      cwd: folder,
      prints: TASK_OUTPUT,
      untilOutput: true,
    },
  }));
  return measured;
}

/** Milliseconds; throws unless it succeeds and prints what it has to. */
async function timeCommand({ file, args, env, cwd, prints, times = 1, untilOutput = false }: Command): Promise<number> {
  const started = performance.now();
  const child = spawn(file, args, { env: { PATH: process.env.PATH, ...env }, cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let firstMs: number | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      if (output.includes(prints)) firstMs ??= performance.now() - started;
    });
  }
  const [exitCode] = await once(child, "close");
  const wholeMs = performance.now() - started;
  const found = prints === "" ? times : output.split(prints).length - 1;
  if (exitCode !== 0 || found < times) {
    throw new Error(
      `${args.slice(0, 5).join(" ")} ended with ${exitCode}, ${found} of ${times}: ${output.slice(0, 500)}`,
    );
  }
  return untilOutput ? (firstMs ?? wholeMs) : wholeMs;
}

/** The Secret that the service makes of a name. */
function secretOf(name: string) {
  const id = { org: "flyte", ...SCOPE, name };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: kubernetesSecretName(id), namespace: NAMESPACE, labels: managedLabels(id) },
    stringData: { [encodeSecretId(id)]: `${name}-x` },
  };
}
