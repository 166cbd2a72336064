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
  type K8sInjectorOptions,
  type SidecarConfig,
  type VaultInjectorOptions,
} from "@flyte-secrets/inject";
import { createSecretGuard, guardManager, type SecretGuardOptions } from "./secret-guard.ts";

export type ManagerName = "Global" | "K8s" | "AWS" | "GCP" | "Azure" | "Vault" | "Embedded";

/** The secret managers and their options. */
export interface ManagersOptions {
  /** In the order in which they are tried. Global always comes first, listed or not. */
  readonly order: readonly ManagerName[];
  readonly k8s: Omit<K8sInjectorOptions, "lookup">;
  readonly aws: SidecarConfig;
  readonly gcp: SidecarConfig;
  readonly azure: SidecarConfig;
  readonly vault: VaultInjectorOptions;
  readonly embedded: {
    /** Whether its values may be in groups, as in AWS Secrets Manager. Then it also looks for a request's group. */
    readonly hasGroups: boolean;
  };
}

export interface ManagersParts {
  /** Finds the secrets of a scope for Embedded and K8s, and those of a group for Embedded. */
  readonly lookup: SecretLookup;
  /** The source of the Global manager. */
  readonly global: GlobalInjectorOptions;
}

/**
 * Creates the secret managers, in their order, each behind the check whether the pod may have the secret ({@link
 * createSecretGuard}).
 */
export function createManagers(
  { managers, guard }: { readonly managers: ManagersOptions; readonly guard: SecretGuardOptions },
  parts: ManagersParts,
): Injector[] {
  const names = new Set<ManagerName>(["Global", ...managers.order]);
  const check = createSecretGuard(guard);
  return [...names]
    .flatMap((name) => {
      const manager = createManager(name, managers, parts);
      return name === "Embedded" && managers.embedded.hasGroups ? [manager, createGroupInjector(parts)] : [manager];
    })
    .map((manager) => guardManager(manager, check));
}

function createManager(name: ManagerName, options: ManagersOptions, { lookup, global }: ManagersParts): Injector {
  switch (name) {
    case "Global":
      return createGlobalInjector(global);
    case "K8s":
      return createK8sInjector({ lookup, ...options.k8s });
    case "AWS":
      return createAwsInjector(options.aws);
    case "GCP":
      return createGcpInjector(options.gcp);
    case "Azure":
      return createAzureInjector(options.azure);
    case "Vault":
      return createVaultInjector(options.vault);
    case "Embedded":
      return createEmbeddedInjector({ lookup });
  }
}
