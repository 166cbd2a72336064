import { createSecureContext } from "node:tls";
import { excerpt, SecretsError } from "@flyte-secrets/core";
import { z } from "zod";
import type { Credentials } from "./credentials.ts";
import type { KubeconfigCluster } from "./kubeconfig-schema.ts";

/** The versions of the plugins' protocol that kubectl knows. */
export const EXEC_VERSIONS: readonly string[] = [
  "client.authentication.k8s.io/v1",
  "client.authentication.k8s.io/v1beta1",
];

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");

const credentialSchema = z.object({
  apiVersion: text,
  kind: z.literal("ExecCredential"),
  status: z.object({
    token: text,
    clientCertificateData: text,
    clientKeyData: text,
    expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  }),
});

/** What a plugin printed, and for how long it is good. */
export interface ExecCredential {
  readonly identity: Credentials;
  /** In ms since 1970; infinite when it doesn't say. */
  readonly endsAt: number;
}

/** A plugin that gave no credential: `problem` goes on from its name. */
export function pluginFailure(command: string, problem: string): SecretsError {
  return new SecretsError("credentials_refused", `The kubeconfig's credential plugin ${excerpt(command)} ${problem}`);
}

/** Reads what a plugin of this version printed. Throws without quoting it: it may be a credential. */
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

/** Whether these are a certificate and its key, in PEM. */
export function isKeyPair(cert: string | Buffer, key: string | Buffer): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}

/** What a plugin is told (`KUBERNETES_EXEC_INFO`); of the cluster only where the kubeconfig wants that. */
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
