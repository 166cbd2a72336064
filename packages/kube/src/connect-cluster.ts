import type { Clock } from "@flyte-secrets/core";
import { createKubeClient, type KubeClient } from "./client.ts";
import { loadClusterConnection } from "./connection.ts";
import type { KubeClientOptions } from "./requests.ts";

/** The settings of the cluster's connection and of the client's rate limit. */
export interface ClusterSettings {
  readonly secret: { readonly kubernetes: { readonly kubeconfig: string } };
  readonly webhook: {
    readonly kubeClientConfig: { readonly qps: number; readonly burst: number; readonly timeout: number };
  };
}

/** Inputs for locating the API server: environment and home directory. */
export interface ClusterEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly clock: Clock;
  /** Receives every request that the client makes. */
  readonly observe?: KubeClientOptions["observe"];
}

/** Whether this server is part of a cluster: it runs in one, or `secret.kubernetes.kubeconfig` names one. */
export function usesCluster({ secret }: Pick<ClusterSettings, "secret">, env: ClusterEnvironment["env"]): boolean {
  const isInside = Boolean(env.KUBERNETES_SERVICE_HOST) && Boolean(env.KUBERNETES_SERVICE_PORT);
  return isInside || secret.kubernetes.kubeconfig !== "";
}

/**
 * A client of the cluster that this server is part of; undefined when it is part of none: a kubeconfig that merely lies
 * in the user's home is no reason to change that cluster. The caller closes it. Throws `invalid_config` as {@link
 * loadClusterConnection} does.
 */
export function connectCluster(config: ClusterSettings, environment: ClusterEnvironment): KubeClient | undefined {
  return usesCluster(config, environment.env) ? connectAnyCluster(config, environment) : undefined;
}

/**
 * A client of whichever cluster is known, as kubectl has it: for questions that change nothing. Otherwise as {@link
 * connectCluster}.
 */
export function connectAnyCluster({ secret, webhook }: ClusterSettings, environment: ClusterEnvironment): KubeClient {
  const { kubeconfig } = secret.kubernetes;
  const { qps, burst, timeout: timeoutMs } = webhook.kubeClientConfig;
  const { clock, observe } = environment;
  const connection = loadClusterConnection({ kubeconfig, ...environment });
  return createKubeClient({ connection, qps, burst, timeoutMs, clock, ...(observe && { observe }) });
}
