import { join, resolve } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import type { Assignment } from "./assignment.ts";
import { podNamespace } from "./pod-namespace.ts";
import type { Environment } from "./read-overrides.ts";
import type { Config, Settings } from "./schema.ts";

/** What {@link resolveConfig} decides by. */
export interface Surroundings {
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
  /** What was given, by path; the rest are defaults. */
  readonly given: ReadonlyMap<string, Assignment>;
}

/**
 * Decides what the schema leaves open: the kind of store, defaults that depend on it, the short forms of Flyte's guides, paths
 * (absolute, `~` replaced), and the master key (C-11, C-12).
 * @throws SecretsError `invalid_config` for settings that contradict each other.
 */
export function resolveConfig(settings: Settings, surroundings: Surroundings): Config {
  return {
    ...settings,
    secret: resolveSecret(settings, surroundings),
    webhook: resolveWebhook(settings, surroundings),
  };
}

function resolveSecret({ secret, webhook, actions }: Settings, surroundings: Surroundings): Config["secret"] {
  const { env, given } = surroundings;
  const { auth, kubernetes, server, store } = secret;
  const type = storeType(secret, env);
  const path = absolutePath(store.path, surroundings);
  const masterKey = readMasterKey(env);
  const isOpen = (setting: string) => type === "Embedded" && !given.has(setting);
  return {
    ...secret,
    store: { type, path, ...(masterKey && { masterKey }) },
    imagePullNamespace: secret.imagePullNamespace || podNamespace({ env, configured: actions.kubernetes.namespace }),
    server: {
      ...server,
      // A cluster's service must be reachable; on one machine nobody else is meant to be.
      host: isOpen("secret.server.host") ? "127.0.0.1" : server.host,
      tls: resolveTls(server.tls, surroundings),
    },
    auth: {
      ...checkedAuth(auth, surroundings),
      tokenFile: auth.tokenFile === "" ? join(path, "token") : absolutePath(auth.tokenFile, surroundings),
    },
    // No webhook of Flyte's can read the embedded store, so there is nobody to tell.
    webhookURL: isOpen("secret.webhookURL") ? "" : secret.webhookURL,
    kubernetes: {
      ...kubernetes,
      kubeconfig: absolutePath(kubernetes.kubeconfig, surroundings),
      otherClusters: resolveClusters(kubernetes, surroundings),
      namespace: given.has("secret.kubernetes.namespace")
        ? kubernetes.namespace
        : webhook.kubernetes.namespace || kubernetes.namespace,
    },
  };
}

function resolveClusters(
  { clusterName, otherClusters }: Settings["secret"]["kubernetes"],
  surroundings: Surroundings,
): Record<string, string> {
  const resolve = ([name, path]: [string, string]) => {
    const problem = (problem: string) => contradiction("secret.kubernetes.otherClusters", problem, surroundings);
    if (name === clusterName) throw problem(`${name} is this cluster (secret.kubernetes.clusterName); name others`);
    if (path === "") throw problem(`${name} needs the path of a kubeconfig file`);
    return [name, absolutePath(path, surroundings)];
  };
  return Object.fromEntries(Object.entries(otherClusters).map(resolve));
}

function checkedAuth(auth: Settings["secret"]["auth"], surroundings: Surroundings) {
  if (auth.mode !== "oidc") return auth;
  const missing = (["issuer", "audience"] as const).find((key) => auth.oidc[key] === "");
  if (missing === undefined) return auth;
  throw contradiction("secret.auth.mode", `oidc needs secret.auth.oidc.${missing} beside it`, surroundings);
}

function resolveTls(tls: Settings["secret"]["server"]["tls"], surroundings: Surroundings) {
  if ((tls.certFile === "") !== (tls.keyFile === "")) {
    const [there, missing] = tls.certFile === "" ? ["keyFile", "certFile"] : ["certFile", "keyFile"];
    const problem = `needs secret.server.tls.${missing} beside it`;
    throw contradiction(`secret.server.tls.${there}`, problem, surroundings);
  }
  const { certFile, keyFile } = tls;
  return { ...tls, certFile: absolutePath(certFile, surroundings), keyFile: absolutePath(keyFile, surroundings) };
}

function resolveWebhook({ secret, webhook, actions }: Settings, surroundings: Surroundings): Config["webhook"] {
  const { env, given } = surroundings;
  const { awsSecretManager, embeddedSecretManagerConfig: embedded, kubeClientConfig, scopeBinding } = webhook;
  const { awsConfig, k8sConfig } = embedded;
  const base = "webhook.embeddedSecretManagerConfig";
  const inherit = <K extends keyof typeof kubeClientConfig>(key: K) =>
    (given.has(`${base}.k8sConfig.kubeClientConfig.${key}`) ? k8sConfig.kubeClientConfig : kubeClientConfig)[key];
  if (awsSecretManager.enabled && given.has(`${base}.type`) && embedded.type !== "AWS") {
    throw contradiction(
      "webhook.awsSecretManager.enabled",
      `${base}.type says otherwise; keep one of them`,
      surroundings,
    );
  }
  // Where secrets are in the embedded store, they are nowhere else unless somebody says so.
  const isLocal = storeType(secret, env) === "Embedded" && !given.has(`${base}.type`);
  const type = isLocal ? "Store" : embedded.type;
  const isAlone = storeType(secret, env) === "Embedded" && !isInCluster(env);
  return {
    ...webhook,
    // As with the service: on one machine nobody else is meant to reach it, and it hears of changes by its store.
    host: isAlone && !given.has("webhook.host") ? "127.0.0.1" : webhook.host,
    clientCA: absolutePath(webhook.clientCA, surroundings),
    cacheInvalidationPort: isLocal && !given.has("webhook.cacheInvalidationPort") ? 0 : webhook.cacheInvalidationPort,
    certDir: webhook.certDir.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => env[braced ?? bare] ?? ""),
    scopeBinding: {
      ...scopeBinding,
      trustedNamespaces: given.has("webhook.scopeBinding.trustedNamespaces")
        ? scopeBinding.trustedNamespaces
        : [actions.kubernetes.namespace],
    },
    embeddedSecretManagerConfig: {
      ...embedded,
      type: awsSecretManager.enabled ? "AWS" : type,
      awsConfig: { ...awsConfig, region: awsConfig.region || awsSecretManager.region },
      k8sConfig: {
        namespace: given.has(`${base}.k8sConfig.namespace`)
          ? k8sConfig.namespace
          : webhook.kubernetes.namespace || k8sConfig.namespace,
        kubeClientConfig: { qps: inherit("qps"), burst: inherit("burst"), timeout: inherit("timeout") },
      },
    },
  };
}

function contradiction(setting: string, problem: string, { given }: Surroundings): SecretsError {
  return new SecretsError("invalid_config", `${given.get(setting)?.origin}: ${setting}: ${problem}`);
}

function storeType({ store, kubernetes }: Settings["secret"], env: Environment): "Embedded" | "Kubernetes" {
  if (store.type === "auto") return isInCluster(env) || kubernetes.kubeconfig !== "" ? "Kubernetes" : "Embedded";
  return store.type;
}

/** By what Kubernetes sets in every container; client-go decides by the same two variables. */
function isInCluster(env: Environment): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST) && Boolean(env.KUBERNETES_SERVICE_PORT);
}

/** Absolute, with `~` replaced; empty stays empty. */
function absolutePath(path: string, { home, cwd }: Surroundings): string {
  if (path === "") return "";
  return resolve(
    cwd,
    path.replace(/^~(?=\/|$)/, () => home),
  );
}

function readMasterKey(env: Environment): SecretValue | undefined {
  const text = env.FLYTE_SECRETS_MASTER_KEY;
  if (text === undefined || text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.byteLength !== 32 || !/^[A-Za-z0-9+/]{43}=?$/.test(text.trim())) {
    throw new SecretsError(
      "invalid_config",
      "environment variable FLYTE_SECRETS_MASTER_KEY must be 32 bytes in base64; `openssl rand -base64 32` makes such a key",
    );
  }
  return SecretValue.fromBytes(bytes);
}
