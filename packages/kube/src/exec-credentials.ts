import type { Clock } from "@flyte-secrets/core";
import { isSecretsError, raceSignal, SecretsError } from "@flyte-secrets/core";
import type { CredentialSource, Credentials } from "./credentials.ts";
import { decodeExecCredential, describeExec, type ExecCredential, pluginFailure, runPlugin } from "./exec-plugin.ts";
import type { KubeconfigCluster, KubeconfigExec, Located } from "./kubeconfig-schema.ts";

/** Credentials are renewed this long before they end, so that none ends on its way. */
const LEEWAY_MS = 10_000;

export interface ExecOptions {
  readonly exec: Located<KubeconfigExec>;
  /** The cluster for a plugin that requires it, with the CA read from its file, in base64. */
  readonly cluster: KubeconfigCluster;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Sent beside what the plugin gives: for whom it stands. */
  readonly headers: Credentials["headers"];
}

/**
 * Credentials that a program prints
 * (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins). They are kept
 * until they end or are refused. There is one run of the program at a time, which all calls wait for that come
 * meanwhile; a call whose time limit passes leaves it running for the others.
 */
export function createExecCredentials(options: ExecOptions): CredentialSource {
  const { exec, clock } = options;
  const closing = new AbortController();
  let kept: ExecCredential | undefined;
  let running: Promise<ExecCredential> | undefined;

  async function run(): Promise<ExecCredential> {
    try {
      kept = await askPlugin(options, closing.signal);
      return kept;
    } finally {
      running = undefined;
    }
  }

  return {
    async current(signal) {
      if (kept !== undefined && clock.now() < kept.endsAt - LEEWAY_MS) return kept.identity;
      const toError = (aborted: AbortSignal) => toPluginTimeout(aborted, exec.value.command);
      const { identity } = await raceSignal(signal, () => (running ??= run()), toError);
      return identity;
    },
    renew(refused) {
      // The rejection of a call with an older credential does not concern this one.
      if (kept?.identity === refused) kept = undefined;
      return true;
    },
    close() {
      closing.abort();
    },
  };
}

async function askPlugin(
  { exec, cluster, env, clock, headers }: ExecOptions,
  signal: AbortSignal,
): Promise<ExecCredential> {
  const { apiVersion, command, provideClusterInfo } = exec.value;
  const info = describeExec(apiVersion, provideClusterInfo ? cluster : undefined);
  const output = await runPlugin({ exec, env, info, clock, signal });
  const { identity, endsAt } = decodeExecCredential(command, apiVersion, output);
  return { identity: { ...identity, headers: { ...headers, ...identity.headers } }, endsAt };
}

/** Names the plugin when the call ends for lack of time. */
function toPluginTimeout({ reason }: AbortSignal, command: string): unknown {
  const isTimeout =
    isSecretsError(reason, "deadline_exceeded") || (reason instanceof DOMException && reason.name === "TimeoutError");
  if (!isTimeout) return reason;
  const { message } = pluginFailure(
    command,
    "has given no credential within the call's time limit. It gets no standard input; run it by hand to see what " +
      "it waits for.",
  );
  return new SecretsError("deadline_exceeded", message);
}
