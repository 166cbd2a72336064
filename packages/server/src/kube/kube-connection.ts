import { readFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { Clock } from "../clock.ts";
import { hasSystemCode } from "../store/store-error.ts";
import { createExecCredentials } from "./exec-credentials.ts";
import {
  createFixedCredentials,
  createTokenFileCredentials,
  type KubeCredentials,
  type KubeIdentity,
} from "./kube-credentials.ts";
import {
  type KubeconfigContext,
  type KubeconfigFile,
  type KubeconfigUser,
  type Located,
  readKubeconfig,
} from "./kubeconfig.ts";

/** Where Kubernetes mounts a pod's service account. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** How to reach an API server, and as whom. */
export interface KubeConnection {
  readonly server: URL;
  /** Where this comes from, for messages. */
  readonly source: string;
  /** That of the context or of the pod. */
  readonly namespace: string | undefined;
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly credentials: KubeCredentials;
}

export interface KubeSurroundings {
  /** An absolute path (`secret.kubernetes.kubeconfig`); empty for none. */
  readonly kubeconfig: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly clock: Clock;
  /** {@link SERVICE_ACCOUNT_DIRECTORY} when absent. */
  readonly serviceAccountDirectory?: string;
}

/**
 * Finds the API server: the configured kubeconfig, else the pod's own service account, else `$KUBECONFIG`, else
 * `~/.kube/config` (spec page 3). Throws `invalid_config` when there is none of them or one is wrong.
 */
export function findKubeConnection(surroundings: KubeSurroundings): KubeConnection {
  const { kubeconfig, env, home } = surroundings;
  if (kubeconfig !== "") return fromKubeconfig([readRequired(kubeconfig)], surroundings);
  const inCluster = fromServiceAccount(surroundings);
  if (inCluster !== undefined) return inCluster;
  const paths = (env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  if (paths.length === 0) paths.push(join(home, ".kube/config"));
  // As kubectl does, files that are not there are passed over.
  const files = paths.flatMap((path) => readIfThere(path) ?? []);
  if (files.length > 0) return fromKubeconfig(files, surroundings);
  throw new SecretsError(
    "invalid_config",
    `No Kubernetes cluster is known: this is no pod of one, and there is no ${paths.join(", no ")}. Set secret.kubernetes.kubeconfig or KUBECONFIG.`,
  );
}

function fromServiceAccount(surroundings: KubeSurroundings): KubeConnection | undefined {
  const { env, clock, serviceAccountDirectory = SERVICE_ACCOUNT_DIRECTORY } = surroundings;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(serviceAccountDirectory, "token");
  if (!host || !port || readIfThere(tokenFile) === undefined) return undefined;
  const ca = readIfThere(join(serviceAccountDirectory, "ca.crt"))?.text;
  return {
    server: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`),
    source: "the pod's service account",
    namespace: readIfThere(join(serviceAccountDirectory, "namespace"))?.text.trim(),
    tls: ca === undefined ? {} : { ca },
    credentials: createTokenFileCredentials(tokenFile, clock, { headers: {} }),
  };
}

function fromKubeconfig(files: readonly KubeconfigFile[], surroundings: KubeSurroundings): KubeConnection {
  const context = readKubeconfig(files);
  const { value: cluster, directory } = context.cluster;
  const source = `context ${context.name} of ${files.map(({ path }) => path).join(", ")}`;
  if (cluster["proxy-url"]) throw invalid(source, "proxy-url is not supported; reach the API server directly");
  if (!URL.canParse(cluster.server)) throw invalid(source, "the cluster's server is not an address");
  const ca = readData(
    { data: cluster["certificate-authority-data"], file: cluster["certificate-authority"], directory },
    source,
  );
  const servername = cluster["tls-server-name"];
  return {
    server: new URL(cluster.server),
    source,
    namespace: context.namespace,
    tls: {
      ...(ca && { ca }),
      ...(servername && { servername }),
      ...(cluster["insecure-skip-tls-verify"] === true && { rejectUnauthorized: false }),
    },
    credentials: toCredentials({ context, ca, source, surroundings }),
  };
}

interface CredentialsInput {
  readonly context: KubeconfigContext;
  readonly ca: Buffer | undefined;
  readonly source: string;
  readonly surroundings: KubeSurroundings;
}

function toCredentials({ context, ca, source, surroundings }: CredentialsInput): KubeCredentials {
  const { value: user, directory } = context.user;
  const { env, clock } = surroundings;
  const identity = toIdentity(context.user, source);
  if (user.tokenFile) return createTokenFileCredentials(resolve(directory, user.tokenFile), clock, identity);
  if (user["auth-provider"]) {
    throw invalid(source, "auth-provider is not supported, as in current kubectl for most; use an exec plugin");
  }
  if (user.exec && !user.token) {
    if (user.exec.interactiveMode === "Always") throw invalid(source, "its credential plugin wants a terminal");
    const data = ca && { "certificate-authority-data": ca.toString("base64") };
    const cluster = { ...context.cluster.value, ...data };
    return createExecCredentials({ exec: { value: user.exec, directory }, cluster, env, clock });
  }
  return createFixedCredentials(identity);
}

function toIdentity({ value: user, directory }: Located<KubeconfigUser>, source: string): KubeIdentity {
  const cert = readData({ data: user["client-certificate-data"], file: user["client-certificate"], directory }, source);
  const key = readData({ data: user["client-key-data"], file: user["client-key"], directory }, source);
  const basic = Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64");
  const groups = user["as-groups"] ?? [];
  return {
    headers: {
      ...(user.username && { authorization: `Basic ${basic}` }),
      ...(user.token && { authorization: `Bearer ${user.token}` }),
      ...(user.as && { "impersonate-user": user.as }),
      ...(user["as-uid"] && { "impersonate-uid": user["as-uid"] }),
      ...(groups.length > 0 && { "impersonate-group": groups }),
    },
    ...(cert && { cert }),
    ...(key && { key }),
  };
}

interface DataOrFile {
  readonly data: string | undefined;
  readonly file: string | undefined;
  readonly directory: string;
}

/** Data in base64 wins over a file, as in client-go. */
function readData({ data, file, directory }: DataOrFile, source: string): Buffer | undefined {
  if (data) return Buffer.from(data, "base64");
  if (!file) return undefined;
  const found = readIfThere(resolve(directory, file));
  if (found === undefined) throw invalid(source, `${resolve(directory, file)} is not there`);
  return Buffer.from(found.text);
}

function readRequired(path: string): KubeconfigFile {
  const file = readIfThere(path);
  if (file !== undefined) return file;
  throw new SecretsError("invalid_config", `secret.kubernetes.kubeconfig: ${path} is not there.`);
}

function readIfThere(path: string): KubeconfigFile | undefined {
  try {
    return { path, text: readFileSync(path, "utf8") };
  } catch (error) {
    if (hasSystemCode(error, "ENOENT") || hasSystemCode(error, "ENOTDIR")) return undefined;
    throw new SecretsError("invalid_config", `${path} cannot be read.`, { cause: error });
  }
}

function invalid(source: string, problem: string): SecretsError {
  return new SecretsError("invalid_config", `${source}: ${problem}.`);
}
