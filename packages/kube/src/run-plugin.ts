import { spawn } from "node:child_process";
import { resolve } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import { excerpt, SecretsError, withoutCredentials } from "@flyte-secrets/core";
import { pluginFailure } from "./exec-credential.ts";
import type { Located } from "./kubeconfig.ts";
import type { KubeconfigExec } from "./kubeconfig-schema.ts";

/** A plugin may ask a cloud, which may ask a browser. */
export const PLUGIN_TIMEOUT_MS = 60_000;

/** Of what a plugin prints: a credential takes some kilobytes. */
const MAX_OUTPUT_BYTES = 1_048_576;

export interface PluginRun {
  readonly exec: Located<KubeconfigExec>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Its `KUBERNETES_EXEC_INFO`. */
  readonly info: string;
  readonly clock: Clock;
  /** Ends the program. */
  readonly signal: AbortSignal;
}

/**
 * Runs a credential plugin without standard input and gives what it printed. What it printed to standard error, which
 * may be a credential too, goes nowhere. Throws `credentials_refused` with the plugin's name when it fails, prints too
 * much or isn't done after a minute, and `canceled` when the signal is aborted.
 */
export function runPlugin({ exec, env, info, clock, signal }: PluginRun): Promise<string> {
  const { command, args, installHint } = exec.value;
  const hint = installHint === "" ? "" : ` ${excerpt(installHint)}`;
  return new Promise((done, fail) => {
    const child = spawn(
      // A command with a slash starts from the kubeconfig's directory, another is looked for on PATH.
      command.includes("/") ? resolve(exec.directory, command) : command,
      args,
      {
        env: {
          ...withoutCredentials(env),
          ...Object.fromEntries(exec.value.env.map(({ name, value }) => [name, value])),
          KUBERNETES_EXEC_INFO: info,
        },
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (error?: SecretsError) => {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) return done(Buffer.concat(chunks).toString());
      // Children of its own may hold its output open: nobody waits for them.
      child.stdout.destroy();
      child.kill("SIGKILL");
      fail(error);
    };
    const onAbort = () => settle(new SecretsError("canceled", "The Kubernetes client is closed."));
    const stopTimer = clock.after(PLUGIN_TIMEOUT_MS, () =>
      settle(
        pluginFailure(
          command,
          `did not end within ${PLUGIN_TIMEOUT_MS / 1000} s. It gets no standard input; run it by hand to see what it waits for.`,
        ),
      ),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (bytes > MAX_OUTPUT_BYTES) settle(pluginFailure(command, "printed more than 1 MiB, which is no credential."));
    });
    child.once("error", (error) => {
      const code = "code" in error ? String(error.code) : error.name;
      const what = code === "ENOENT" ? "was not found" : "could not be started";
      settle(pluginFailure(command, `${what} (${code}). Install it, or correct the kubeconfig's command.${hint}`));
    });
    child.once("close", (code, killedBy) => {
      if (code === 0) return settle();
      settle(pluginFailure(command, `failed (${code ?? killedBy}). Run it by hand to see why.${hint}`));
    });
  });
}
