import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { SecretsError, withoutCredentials } from "@flyte-secrets/core";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { KubeCredentials, KubeIdentity } from "./kube-credentials.ts";
import type { KubeconfigCluster, KubeconfigExec, Located } from "./kubeconfig.ts";

/** A plugin may ask a cloud, which may ask a browser. */
const PLUGIN_TIMEOUT_MS = 60_000;

/** Credentials are renewed this long before they end, so that none ends on its way. */
const LEEWAY_MS = 10_000;

const credentialSchema = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

export interface ExecOptions {
  readonly exec: Located<KubeconfigExec>;
  /** The cluster that a plugin is told about which asks for it, with its CA read in, in base64. */
  readonly cluster: KubeconfigCluster;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/**
 * Credentials that a program prints (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
 * They are kept until they end or are refused; calls that come meanwhile wait for one run of the program.
 */
export function createExecCredentials(options: ExecOptions): KubeCredentials {
  const { clock } = options;
  let running: Promise<{ identity: KubeIdentity; endsAt: number }> | undefined;
  let endsAt = Number.POSITIVE_INFINITY;
  return {
    async current() {
      if (clock.now() >= endsAt - LEEWAY_MS) running = undefined;
      running ??= runPlugin(options);
      try {
        const credential = await running;
        endsAt = credential.endsAt;
        return credential.identity;
      } catch (error) {
        running = undefined;
        throw error;
      }
    },
    renew() {
      running = undefined;
      return true;
    },
  };
}

async function runPlugin({ exec, cluster, env }: ExecOptions): Promise<{ identity: KubeIdentity; endsAt: number }> {
  const { apiVersion, command, args, installHint } = exec.value;
  const info = {
    apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, ...(exec.value.provideClusterInfo === true && { cluster: describeCluster(cluster) }) },
  };
  const output = await new Promise<string>((done, fail) => {
    execFile(
      // A command with a slash starts from the kubeconfig's directory, another is looked for on PATH.
      command.includes("/") ? resolve(exec.directory, command) : command,
      [...(args ?? [])],
      {
        env: {
          ...withoutCredentials(env),
          ...Object.fromEntries((exec.value.env ?? []).map(({ name, value }) => [name, value])),
          KUBERNETES_EXEC_INFO: JSON.stringify(info),
        },
        timeout: PLUGIN_TIMEOUT_MS,
      },
      (error, stdout) => {
        if (error === null) return done(stdout);
        // What it printed stays out: it may be a credential.
        const how = error.killed === true ? "ran into its time limit" : `failed (${error.code ?? error.signal})`;
        fail(pluginFailure(command, `${how}. Run it by hand to see why. ${installHint ?? ""}`));
      },
    );
  });
  return decodeCredential(command, output);
}

function decodeCredential(command: string, output: string): { identity: KubeIdentity; endsAt: number } {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    throw pluginFailure(command, "printed no JSON.");
  }
  const parsed = credentialSchema.safeParse(json);
  if (!parsed.success) throw pluginFailure(command, "printed no ExecCredential with a status.");
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = parsed.data.status;
  if (!token && !(cert && key)) throw pluginFailure(command, "gave neither a token nor a certificate with its key.");
  return {
    identity: {
      headers: token ? { authorization: `Bearer ${token}` } : {},
      ...(cert && key && { cert, key }),
    },
    endsAt: expirationTimestamp === undefined ? Number.POSITIVE_INFINITY : Date.parse(expirationTimestamp),
  };
}

function describeCluster(cluster: KubeconfigCluster): object {
  const { extensions, "certificate-authority": _file, ...rest } = cluster;
  const extension = extensions?.find(({ name }) => name === "client.authentication.k8s.io/exec");
  return { ...rest, ...(extension && { config: extension.extension }) };
}

function pluginFailure(command: string, problem: string): SecretsError {
  return new SecretsError("credentials_refused", `The kubeconfig's credential plugin ${command} ${problem}`.trim());
}
