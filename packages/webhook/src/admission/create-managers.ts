import type { Config } from "@flyte-secrets/config";
import type { SecretLookup } from "@flyte-secrets/core";
import type { Injector } from "@flyte-secrets/inject";
import {
  createAwsInjector,
  createAzureInjector,
  createEmbeddedInjector,
  createGcpInjector,
  createGlobalInjector,
  createGroupInjector,
  createK8sInjector,
  createVaultInjector,
  type GlobalInjectorOptions,
} from "@flyte-secrets/inject";
import { createSecretGuard, guardManager } from "./secret-guard.ts";
import { toResources } from "./to-resources.ts";

export interface ManagersOptions {
  /** Where Embedded and K8s find the secrets of a scope, and Embedded those of a group. */
  readonly lookup: SecretLookup;
  /** Where Global looks. */
  readonly global: GlobalInjectorOptions;
  /** The webhook's. Default: `actions.kubernetes.namespace`. */
  readonly ownNamespace?: string;
}

type ManagerName = Config["webhook"]["secretManagerType"];

/**
 * The secret managers that are configured, in the order in which they are asked: Global, then `secretManagerTypes`. Each is asked only
 * for what the pod may have (`createSecretGuard`).
 */
export function createManagers(config: Config, options: ManagersOptions): Injector[] {
  const { webhook } = config;
  const { secretManagerType, secretManagerTypes } = webhook;
  const guard = createSecretGuard(config, options.ownNamespace ?? config.actions.kubernetes.namespace);
  const configured = secretManagerTypes.length > 0 ? secretManagerTypes : [secretManagerType];
  const names = new Set<ManagerName>(["Global", ...configured]);
  return [...names]
    .flatMap((name) => {
      const manager = createManager(name, webhook, options);
      return name === "Embedded" && keepsGroups(webhook) ? [manager, createGroupInjector(options)] : [manager];
    })
    .map((manager) => guardManager(manager, guard));
}

/** Whether Embedded has a second way, by group. Unlike Embedded itself it looks at the group. */
function keepsGroups({ embeddedSecretManagerConfig }: Config["webhook"]): boolean {
  return embeddedSecretManagerConfig.type === "AWS";
}

function createManager(name: ManagerName, webhook: Config["webhook"], { lookup, global }: ManagersOptions): Injector {
  const sidecar = ({ sidecarImage, resources }: Config["webhook"]["gcpSecretManager"]) => ({
    sidecarImage,
    resources: toResources(resources),
    initContainers: webhook.initContainers,
  });
  switch (name) {
    case "Global":
      return createGlobalInjector(global);
    case "K8s": {
      const copies = webhook.embeddedSecretManagerConfig.delivery === "SecretRef";
      return createK8sInjector({ lookup, copies, optional: webhook.k8sSecretManager.optional });
    }
    case "AWS":
      return createAwsInjector(sidecar(webhook.awsSecretManager));
    case "GCP":
      return createGcpInjector(sidecar(webhook.gcpSecretManager));
    case "Azure":
      return createAzureInjector(sidecar(webhook.azureSecretManager));
    case "Vault":
      return createVaultInjector(webhook.vaultSecretManager);
    case "Embedded":
      return createEmbeddedInjector({ lookup });
  }
}
