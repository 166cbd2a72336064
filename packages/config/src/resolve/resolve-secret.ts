import { join } from "node:path";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import type { Config, Settings } from "../schema/config-schema.ts";
import type { Environment } from "../sources/overrides.ts";
import { podNamespace } from "./pod-namespace.ts";
import { absolutePath, contradiction, type ResolveContext, storeType } from "./resolve-context.ts";

/** Resolves the section `secret`. */
export function resolveSecret(settings: Settings, context: ResolveContext): Config["secret"] {
  const { secret, actions } = settings;
  const { env, given } = context;
  const type = storeType(secret, context);
  const path = absolutePath(secret.store.path, context);
  const masterKey = readMasterKey(env);
  const isEmbeddedDefault = (setting: string) => type === "Embedded" && !given.has(setting);
  // The service of a cluster must be reachable, while on one machine only its own user needs it.
  const host = isEmbeddedDefault("secret.server.host") ? "127.0.0.1" : secret.server.host;
  // Flyte's webhook cannot read the embedded store, so there is none to notify.
  const webhookURL = isEmbeddedDefault("secret.webhookURL") ? "" : secret.webhookURL;
  return {
    ...secret,
    store: { type, path, ...(masterKey && { masterKey }) },
    imagePullNamespace: secret.imagePullNamespace || podNamespace({ env, configured: actions.kubernetes.namespace }),
    server: { ...secret.server, host, tls: resolveTls(secret.server.tls, context) },
    auth: resolveAuth(secret.auth, path, context),
    webhookURL,
    kubernetes: resolveKubernetes(settings, context),
  };
}

function resolveTls(tls: Settings["secret"]["server"]["tls"], context: ResolveContext) {
  const { certFile, keyFile } = tls;
  if ((certFile === "") !== (keyFile === "")) {
    const [given, missing] = certFile === "" ? ["keyFile", "certFile"] : ["certFile", "keyFile"];
    throw contradiction(`secret.server.tls.${given}`, `needs secret.server.tls.${missing} beside it`, context);
  }
  return { ...tls, certFile: absolutePath(certFile, context), keyFile: absolutePath(keyFile, context) };
}

function resolveAuth(auth: Settings["secret"]["auth"], storePath: string, context: ResolveContext) {
  if (auth.mode === "oidc") {
    const missing = (["issuer", "audience"] as const).find((key) => auth.oidc[key] === "");
    if (missing !== undefined) {
      throw contradiction("secret.auth.mode", `oidc needs secret.auth.oidc.${missing} beside it`, context);
    }
  }
  const tokenFile = auth.tokenFile === "" ? join(storePath, "token") : absolutePath(auth.tokenFile, context);
  return { ...auth, tokenFile };
}

function resolveKubernetes({ secret: { kubernetes }, webhook }: Settings, context: ResolveContext) {
  // Flyte's guide sets the namespace in the section `webhook`.
  const isNamespaceGiven = context.given.has("secret.kubernetes.namespace");
  const namespace = isNamespaceGiven ? kubernetes.namespace : webhook.kubernetes.namespace || kubernetes.namespace;
  return {
    ...kubernetes,
    namespace,
    kubeconfig: absolutePath(kubernetes.kubeconfig, context),
    otherClusters: resolveOtherClusters(kubernetes, context),
  };
}

function resolveOtherClusters(
  { clusterName, otherClusters }: Settings["secret"]["kubernetes"],
  context: ResolveContext,
): Record<string, string> {
  const setting = "secret.kubernetes.otherClusters";
  const clusters = Object.entries(otherClusters).map(([name, kubeconfig]): [string, string] => {
    if (name === clusterName) {
      const problem = `${name} is this cluster (secret.kubernetes.clusterName); name others`;
      throw contradiction(setting, problem, context);
    }
    if (kubeconfig === "") throw contradiction(setting, `${name} needs the path of a kubeconfig file`, context);
    return [name, absolutePath(kubeconfig, context)];
  });
  return Object.fromEntries(clusters);
}

function readMasterKey(env: Environment): SecretValue | undefined {
  const text = env.FLYTE_SECRETS_MASTER_KEY;
  if (text === undefined || text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  if (bytes.byteLength !== 32 || !/^[A-Za-z0-9+/]{43}=?$/.test(text.trim())) {
    throw new SecretsError(
      "invalid_config",
      "environment variable FLYTE_SECRETS_MASTER_KEY must be 32 bytes in base64; `openssl rand -base64 32` makes " +
        "such a key",
    );
  }
  return SecretValue.fromBytes(bytes);
}
