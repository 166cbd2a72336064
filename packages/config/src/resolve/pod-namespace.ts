import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SERVICE_ACCOUNT_DIRECTORY } from "@flyte-secrets/core";

export interface PodNamespaceSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** {@link SERVICE_ACCOUNT_DIRECTORY} when absent. */
  readonly serviceAccountDirectory?: string;
  /** `actions.kubernetes.namespace` of Flyte's configuration. */
  readonly configured?: string;
}

/**
 * Returns the namespace that this process belongs to: `POD_NAMESPACE`, else the service account's, else the configured
 * one, else `flyte` (W-26).
 */
export function podNamespace({ env, serviceAccountDirectory, configured }: PodNamespaceSources): string {
  return (
    env.POD_NAMESPACE || readNamespace(serviceAccountDirectory ?? SERVICE_ACCOUNT_DIRECTORY) || configured || "flyte"
  );
}

function readNamespace(directory: string): string {
  try {
    return readFileSync(join(directory, "namespace"), "utf8").trim();
  } catch {
    return "";
  }
}
