import type { Config, Settings } from "../schema/config-schema.ts";
import type { Environment } from "../sources/overrides.ts";
import { absolutePath, contradiction, isInCluster, type ResolveContext, storeType } from "./resolve-context.ts";

const EMBEDDED_MANAGER = "webhook.embeddedSecretManagerConfig";

/** Resolves the section `webhook`. */
export function resolveWebhook(settings: Settings, context: ResolveContext): Config["webhook"] {
  const { secret, webhook, actions } = settings;
  const { env, given } = context;
  const isStoreEmbedded = storeType(secret, context) === "Embedded";
  const isMachineAlone = isStoreEmbedded && !isInCluster(env);
  // Where secrets are kept in the embedded store, values come from there unless another source is given.
  const readsEmbeddedStore = isStoreEmbedded && !given.has(`${EMBEDDED_MANAGER}.type`);
  // On one machine only its own user needs the webhook.
  const host = isMachineAlone && !given.has("webhook.host") ? "127.0.0.1" : webhook.host;
  // The embedded store itself reports changes to its webhook.
  const isInvalidationOff = readsEmbeddedStore && !given.has("webhook.cacheInvalidationPort");
  const cacheInvalidationPort = isInvalidationOff ? 0 : webhook.cacheInvalidationPort;
  const trustedNamespaces = given.has("webhook.scopeBinding.trustedNamespaces")
    ? webhook.scopeBinding.trustedNamespaces
    : [actions.kubernetes.namespace];
  return {
    ...webhook,
    host,
    clientCA: absolutePath(webhook.clientCA, context),
    cacheInvalidationPort,
    certDir: expandVariables(webhook.certDir, env),
    scopeBinding: { ...webhook.scopeBinding, trustedNamespaces },
    embeddedSecretManagerConfig: resolveEmbeddedManager(webhook, readsEmbeddedStore, context),
  };
}

function resolveEmbeddedManager(
  webhook: Settings["webhook"],
  readsEmbeddedStore: boolean,
  context: ResolveContext,
): Config["webhook"]["embeddedSecretManagerConfig"] {
  const { awsSecretManager: aws, embeddedSecretManagerConfig: embedded } = webhook;
  // Flyte's guide enables AWS and sets its region in the section of the AWS manager.
  if (aws.enabled && context.given.has(`${EMBEDDED_MANAGER}.type`) && embedded.type !== "AWS") {
    const problem = `${EMBEDDED_MANAGER}.type says otherwise; keep one of them`;
    throw contradiction("webhook.awsSecretManager.enabled", problem, context);
  }
  const type = readsEmbeddedStore ? "Store" : embedded.type;
  return {
    ...embedded,
    type: aws.enabled ? "AWS" : type,
    awsConfig: { ...embedded.awsConfig, region: embedded.awsConfig.region || aws.region },
    k8sConfig: resolveK8sConfig(webhook, context),
  };
}

/** The namespace of Flyte's guide and the webhook's Kubernetes client are the defaults. */
function resolveK8sConfig(webhook: Settings["webhook"], { given }: ResolveContext) {
  const { k8sConfig } = webhook.embeddedSecretManagerConfig;
  const section = `${EMBEDDED_MANAGER}.k8sConfig`;
  const isNamespaceGiven = given.has(`${section}.namespace`);
  const namespace = isNamespaceGiven ? k8sConfig.namespace : webhook.kubernetes.namespace || k8sConfig.namespace;
  const clientSetting = (key: "qps" | "burst" | "timeout") => {
    const isGiven = given.has(`${section}.kubeClientConfig.${key}`);
    return (isGiven ? k8sConfig : webhook).kubeClientConfig[key];
  };
  return {
    namespace,
    kubeClientConfig: {
      qps: clientSetting("qps"),
      burst: clientSetting("burst"),
      timeout: clientSetting("timeout"),
    },
  };
}

/** Replaces `$NAME` and `${NAME}`; a variable that is not set is empty. */
function expandVariables(text: string, env: Environment): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => env[braced ?? bare] ?? "");
}
