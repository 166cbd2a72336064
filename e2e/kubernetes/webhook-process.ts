import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./cluster.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");

/** `flyte-secrets webhook` as a process of its own, registered with the API server by its address. */
export interface RegisteredWebhook {
  /** Those of its ports that are open. */
  readonly ports: Readonly<Record<"admission" | "probes" | "metrics", number>>;
  readonly pid: number;
  /** All that it has printed so far. */
  output(): string;
  /** Ends it in the middle of whatever it does (SIGKILL). */
  kill(): Promise<void>;
  /** Sends SIGTERM and waits for the end; the exit code. */
  stop(): Promise<number | null>;
}

/**
 * Starts one that knows the cluster by this kubeconfig file, on free ports. It serves when this resolves. `variables`
 * are added to its environment.
 */
export async function startRegisteredWebhook(
  kubeconfig: string,
  { name, ...settings }: { readonly name: string; readonly [setting: string]: string },
  variables: Readonly<Record<string, string>> = {},
): Promise<RegisteredWebhook> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-webhook-"));
  const port = await freePort();
  const flags = {
    "secret.kubernetes.kubeconfig": kubeconfig,
    "webhook.serviceName": name,
    "webhook.secretName": name,
    "webhook.host": "127.0.0.1",
    "webhook.listenPort": String(port),
    "webhook.url": `https://127.0.0.1:${port}/mutate--v1-pod`,
    "webhook.embeddedSecretManagerConfig.type": "K8s",
    "webhook.cacheInvalidationPort": "0",
    "executor.healthProbeBindAddress": "127.0.0.1:0",
    "executor.metricsBindAddress": "",
    "logger.level": "debug",
    // Those of the tests' pods, beside Flyte's.
    "webhook.scopeBinding.domains": "d,dev,development,staging,production",
    ...settings,
  };
  const args = Object.entries(flags).map(([setting, value]) => `--${setting}=${value}`);
  const env = {
    HOME: home,
    PATH: process.env.PATH ?? "",
    POD_NAMESPACE: "flyte",
    NODE_OPTIONS: process.env.NODE_OPTIONS ?? "",
    ...variables,
  };
  const child = spawn(process.execPath, [COMMAND, "webhook", ...args], { env });
  const ended = once(child, "exit");
  let output = "";
  const serving = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
      if (output.includes("Stop: Ctrl-C")) serving.resolve();
    });
  }
  await Promise.race([
    serving.promise,
    ended.then(() => {
      throw new Error(`the webhook ended:\n${output}`);
    }),
  ]);
  const portOf = (what: string) => Number(new RegExp(`^${what} on port +(\\d+)`, "m").exec(output)?.[1]);
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    child.kill(signal);
    const [exitCode] = await ended;
    rmSync(home, { recursive: true, force: true });
    return exitCode;
  };
  return {
    ports: { admission: portOf("Admission"), probes: portOf("Probes"), metrics: portOf("Metrics") },
    pid: child.pid ?? 0,
    output: () => output,
    stop: () => end("SIGTERM"),
    async kill() {
      await end("SIGKILL");
    },
  };
}
