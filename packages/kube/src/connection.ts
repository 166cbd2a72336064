import { X509Certificate } from "node:crypto";
import { delimiter, join } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import { decodeText, excerpt, NOT_TEXT, SERVICE_ACCOUNT_DIRECTORY, SecretsError } from "@flyte-secrets/core";
import { type CredentialSource, createTokenFileCredentials } from "./credentials.ts";
import { type KubeconfigFile, readKubeconfig } from "./kubeconfig.ts";
import {
  invalidKubeconfig,
  openKubeconfigCredentials,
  readDataOrFile,
  readOptionalFile,
} from "./kubeconfig-credentials.ts";

/** How to connect to an API server, and with which credentials. */
export interface ClusterConnection {
  readonly server: URL;
  /** Where the connection was configured, for messages. */
  readonly source: string;
  /** The namespace of the context or of the pod. */
  readonly namespace: string | undefined;
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly credentials: CredentialSource;
}

/** The address of the API server and where it was configured, for messages. */
export function serverName({ server, source }: Pick<ClusterConnection, "server" | "source">): string {
  return `${server.origin} (${source})`;
}

export interface ClusterConnectionOptions {
  /** An absolute path (`secret.kubernetes.kubeconfig`); empty for none. */
  readonly kubeconfig: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly clock: Clock;
  /** {@link SERVICE_ACCOUNT_DIRECTORY} when absent. */
  readonly serviceAccountDirectory?: string;
}

/**
 * Loads the connection of the configured kubeconfig, else of the pod's own service account, else of `$KUBECONFIG`, else
 * of `~/.kube/config`. Throws `invalid_config` when there is none of them or one is wrong.
 */
export function loadClusterConnection(options: ClusterConnectionOptions): ClusterConnection {
  const { kubeconfig, env, home } = options;
  if (kubeconfig !== "") return fromKubeconfig([readRequired(kubeconfig)], options);
  const inCluster = fromServiceAccount(options);
  if (inCluster !== undefined) return inCluster;
  const paths = (env.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  if (paths.length === 0) paths.push(join(home, ".kube/config"));
  // Missing files are skipped, as kubectl does.
  const files = paths.flatMap((path) => {
    const file = readKubeconfigFile(path);
    return file === undefined ? [] : [file];
  });
  if (files.length > 0) return fromKubeconfig(files, options);
  throw new SecretsError(
    "invalid_config",
    `No Kubernetes cluster is known: this is no pod of one, and there is no ${paths.join(", no ")}. Set ` +
      "secret.kubernetes.kubeconfig or KUBECONFIG.",
  );
}

function fromServiceAccount(options: ClusterConnectionOptions): ClusterConnection | undefined {
  const { env, clock, serviceAccountDirectory = SERVICE_ACCOUNT_DIRECTORY } = options;
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(serviceAccountDirectory, "token");
  if (!host || !port || readOptionalFile(tokenFile) === undefined) return undefined;
  const ca = readOptionalFile(join(serviceAccountDirectory, "ca.crt"))?.toString();
  return {
    server: new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}`),
    source: "the pod's service account",
    namespace: readOptionalFile(join(serviceAccountDirectory, "namespace"))?.toString().trim(),
    tls: ca === undefined ? {} : { ca },
    credentials: createTokenFileCredentials(tokenFile, clock, { headers: {} }),
  };
}

function fromKubeconfig(files: readonly KubeconfigFile[], { env, clock }: ClusterConnectionOptions): ClusterConnection {
  const context = readKubeconfig(files);
  const { value: cluster, directory } = context.cluster;
  const source = `context ${excerpt(context.name)} of ${files.map(({ path }) => path).join(", ")}`;
  const server = parseServer(cluster.server);
  if (server === undefined)
    throw invalidKubeconfig(source, "the cluster's server is neither an address nor a host and port");
  if (server.username !== "" || server.password !== "") {
    throw invalidKubeconfig(
      source,
      "the cluster's server has a name or a password in its address; put them into the user",
    );
  }
  const place = { directory, source };
  const ca = readDataOrFile(cluster, "certificate-authority", place);
  if (ca !== undefined && !isCertificate(ca))
    throw invalidKubeconfig(source, "its certificate-authority is no certificate in PEM");
  const servername = cluster["tls-server-name"];
  return {
    server,
    source,
    namespace: context.namespace,
    tls: {
      ...(ca && { ca }),
      ...(servername && { servername }),
      ...(cluster["insecure-skip-tls-verify"] && { rejectUnauthorized: false }),
    },
    credentials: openKubeconfigCredentials({ context, isSecure: server.protocol === "https:", ca, source, env, clock }),
  };
}

/**
 * As kubectl reads it: `host:port` is plain HTTP, and a path stands only in a whole address. Undefined when it is none.
 */
function parseServer(text: string): URL | undefined {
  const isWhole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
  const address = isWhole ? text : `http://${text}`;
  // `URL` would remove or correct these characters.
  if (!URL.canParse(address) || /[\s\\]/.test(text)) return undefined;
  const url = new URL(address);
  if (url.protocol !== "https:" && url.protocol !== "http:") return undefined;
  return isWhole || url.pathname === "/" ? url : undefined;
}

function isCertificate(pem: Buffer): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

function readKubeconfigFile(path: string): KubeconfigFile | undefined {
  const bytes = readOptionalFile(path);
  if (bytes === undefined) return undefined;
  const text = decodeText(bytes);
  if (text === undefined) throw new SecretsError("invalid_config", `${path}: ${NOT_TEXT}.`);
  return { path, text };
}

function readRequired(path: string): KubeconfigFile {
  const file = readKubeconfigFile(path);
  if (file !== undefined) return file;
  throw new SecretsError("invalid_config", `secret.kubernetes.kubeconfig: ${path} is not there.`);
}
