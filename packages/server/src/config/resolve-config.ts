import { join, resolve } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import type { Assignment } from "./assignment.ts";
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
 * (absolute, `~` replaced), and the master key.
 * @throws SecretsError `invalid_config` for settings that contradict each other.
 */
export function resolveConfig(settings: Settings, surroundings: Surroundings): Config {
  const { secret } = settings;
  const type = storeType(secret.store.type, surroundings.env);
  const isSet = (path: string) => surroundings.given.has(path);
  const byDefault = <T>(path: string, byStore: { readonly Embedded: T }, value: T) =>
    type === "Embedded" && !isSet(path) ? byStore.Embedded : value;
  const toPath = (path: string) => expandPath(path, surroundings);
  const path = toPath(secret.store.path);
  const masterKey = readMasterKey(surroundings.env);
  return {
    ...settings,
    secret: {
      ...secret,
      store: { type, path, ...(masterKey && { masterKey }) },
      server: {
        ...secret.server,
        // A cluster's service must be reachable; on one machine nobody else is meant to be.
        host: byDefault("secret.server.host", { Embedded: "127.0.0.1" }, secret.server.host),
        tls: tlsFiles(secret.server.tls, toPath),
      },
      auth: {
        ...secret.auth,
        tokenFile: secret.auth.tokenFile === "" ? join(path, "token") : toPath(secret.auth.tokenFile),
      },
      // No webhook of Flyte's can read the embedded store, so there is nobody to tell.
      webhookURL: byDefault("secret.webhookURL", { Embedded: "" }, secret.webhookURL),
      kubernetes: {
        ...secret.kubernetes,
        kubeconfig: toPath(secret.kubernetes.kubeconfig),
        namespace: guideNamespace("secret.kubernetes.namespace", secret.kubernetes.namespace),
      },
    },
    webhook: {
      ...settings.webhook,
      certDir: settings.webhook.certDir.replace(
        /\$(?:\{(\w+)\}|(\w+))/g,
        (_, braced, bare) => surroundings.env[braced ?? bare] ?? "",
      ),
      embeddedSecretManagerConfig: embeddedManager(),
    },
  };

  function guideNamespace(path: string, value: string): string {
    const { namespace } = settings.webhook.kubernetes;
    return namespace === "" || isSet(path) ? value : namespace;
  }

  function embeddedManager(): Settings["webhook"]["embeddedSecretManagerConfig"] {
    const { awsSecretManager, embeddedSecretManagerConfig: embedded, kubeClientConfig } = settings.webhook;
    const base = "webhook.embeddedSecretManagerConfig";
    const ownClient = embedded.k8sConfig.kubeClientConfig;
    const inherit = <K extends keyof typeof ownClient>(key: K) =>
      isSet(`${base}.k8sConfig.kubeClientConfig.${key}`) ? ownClient[key] : kubeClientConfig[key];
    if (awsSecretManager.enabled && isSet(`${base}.type`) && embedded.type !== "AWS") {
      throw contradiction("webhook.awsSecretManager.enabled", `${base}.type says otherwise; keep one of them`);
    }
    return {
      ...embedded,
      type: awsSecretManager.enabled ? "AWS" : embedded.type,
      awsConfig: { ...embedded.awsConfig, region: embedded.awsConfig.region || awsSecretManager.region },
      k8sConfig: {
        namespace: guideNamespace(`${base}.k8sConfig.namespace`, embedded.k8sConfig.namespace),
        kubeClientConfig: { qps: inherit("qps"), burst: inherit("burst"), timeout: inherit("timeout") },
      },
    };
  }

  function tlsFiles(tls: Settings["secret"]["server"]["tls"], toPath: (path: string) => string) {
    if ((tls.certFile === "") !== (tls.keyFile === "")) {
      const [there, missing] = tls.certFile === "" ? ["keyFile", "certFile"] : ["certFile", "keyFile"];
      throw contradiction(`secret.server.tls.${there}`, `needs secret.server.tls.${missing} beside it`);
    }
    return { certFile: toPath(tls.certFile), keyFile: toPath(tls.keyFile) };
  }

  function contradiction(path: string, message: string): SecretsError {
    return new SecretsError("invalid_config", `${surroundings.given.get(path)?.origin}: ${path}: ${message}`);
  }
}

function storeType(type: Settings["secret"]["store"]["type"], env: Environment): "Embedded" | "Kubernetes" {
  // What Kubernetes sets in every container; client-go decides by the same two variables.
  const inCluster = Boolean(env.KUBERNETES_SERVICE_HOST) && Boolean(env.KUBERNETES_SERVICE_PORT);
  if (type === "auto") return inCluster ? "Kubernetes" : "Embedded";
  return type;
}

/** Absolute, with `~` replaced; empty stays empty. */
function expandPath(path: string, { home, cwd }: Surroundings): string {
  if (path === "") return "";
  return resolve(cwd, path.replace(/^~(?=\/|$)/, home));
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
