import { spawn } from "node:child_process";
import { resolve } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import { excerpt, SecretsError, withoutCredentials } from "@flyte-secrets/core";
import * as z from "zod/mini";
import { type Credentials, isKeyPair } from "./credentials.ts";
import type { KubeconfigCluster, KubeconfigExec, Located } from "./kubeconfig-schema.ts";

/** The versions of the plugin protocol that kubectl supports. */
export const EXEC_VERSIONS: readonly string[] = [
  "client.authentication.k8s.io/v1",
  "client.authentication.k8s.io/v1beta1",
];

const text = z.pipe(
  z.nullish(z.string()),
  z.transform((value) => value ?? ""),
);

const credentialSchema = z.object({
  apiVersion: text,
  kind: z.literal("ExecCredential"),
  status: z.object({
    token: text,
    clientCertificateData: text,
    clientKeyData: text,
    expirationTimestamp: z.nullish(z.iso.datetime({ offset: true })),
  }),
});

/** The credentials that a plugin printed, and their expiry. */
export interface ExecCredential {
  readonly identity: Credentials;
  /** In milliseconds since 1970; infinite when the plugin gives none. */
  readonly endsAt: number;
}

/** The error of a plugin that gave no credentials. `problem` continues a sentence that ends with its name. */
export function pluginFailure(command: string, problem: string): SecretsError {
  return new SecretsError("credentials_refused", `The kubeconfig's credential plugin ${excerpt(command)} ${problem}`);
}

/** Decodes the output of a plugin of this version. The error does not quote it, since it may be a credential. */
export function decodeExecCredential(command: string, apiVersion: string, output: string): ExecCredential {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    throw pluginFailure(command, "printed no JSON.");
  }
  const parsed = credentialSchema.safeParse(json);
  if (!parsed.success) throw pluginFailure(command, "printed no ExecCredential with a status.");
  if (parsed.data.apiVersion !== apiVersion) {
    throw pluginFailure(
      command,
      `is to answer in ${apiVersion}, as the kubeconfig says, and answers in another version.`,
    );
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = parsed.data.status;
  if ((cert === "") !== (key === "")) throw pluginFailure(command, "gave only one of a certificate and its key.");
  if (token === "" && cert === "") throw pluginFailure(command, "gave neither a token nor a certificate with its key.");
  if (cert !== "" && !isKeyPair(cert, key)) throw pluginFailure(command, "gave no certificate with its key in PEM.");
  return {
    identity: {
      headers: token === "" ? {} : { authorization: `Bearer ${token}` },
      ...(cert !== "" && { cert, key }),
    },
    endsAt: expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY,
  };
}

/** Encodes the input of a plugin (`KUBERNETES_EXEC_INFO`); with the cluster only if the kubeconfig requires it. */
export function describeExec(apiVersion: string, cluster: KubeconfigCluster | undefined): string {
  const spec = { interactive: false, ...(cluster && { cluster: describeCluster(cluster) }) };
  return JSON.stringify({ apiVersion, kind: "ExecCredential", spec });
}

function describeCluster(cluster: KubeconfigCluster): object {
  const extension = cluster.extensions?.find(({ name }) => name === "client.authentication.k8s.io/exec");
  const names = [
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "disable-compression",
  ] as const;
  const set = names.flatMap((name) => (cluster[name] ? [[name, cluster[name]]] : []));
  return { server: cluster.server, ...Object.fromEntries(set), config: extension?.extension ?? null };
}

/** A plugin may call a cloud, which may open a browser. */
export const PLUGIN_TIMEOUT_MS = 60_000;

/** Limit of a plugin's output: credentials take some kilobytes. */
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
 * Runs a credential plugin without standard input and returns its output. Its standard error is discarded, since it may
 * have credentials too. Throws `credentials_refused` with the plugin's name when it fails, prints too much or isn't
 * done after a minute, and `canceled` when the signal is aborted.
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
          `did not end within ${PLUGIN_TIMEOUT_MS / 1000} s. It gets no standard input; run it by hand to see what ` +
            "it waits for.",
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
