import type { Clock } from "@flyte-secrets/core";
import { createKubeClient, type KubeClient } from "./client.ts";
import type { KubeClientOptions } from "./client-options.ts";
import { loadClusterConnection } from "./connection.ts";

/** The settings by which a cluster is found, and how often it may be asked. */
export interface ClusterSettings {
  readonly secret: { readonly kubernetes: { readonly kubeconfig: string } };
  readonly webhook: {
    readonly kubeClientConfig: { readonly qps: number; readonly burst: number; readonly timeout: number };
  };
}

/** What the way to an API server is looked for in. */
export interface ClusterEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly clock: Clock;
  /** Hears of every request that the client makes. */
  readonly observe?: KubeClientOptions["observe"];
}

/** Whether this server is part of a cluster: it runs in one, or `secret.kubernetes.kubeconfig` names one. */
export function isInCluster({ secret }: Pick<ClusterSettings, "secret">, env: ClusterEnvironment["env"]): boolean {
  const isInside = Boolean(env.KUBERNETES_SERVICE_HOST) && Boolean(env.KUBERNETES_SERVICE_PORT);
  return isInside || secret.kubernetes.kubeconfig !== "";
}

/**
 * A client of the cluster that this server is part of; undefined when it is part of none: a kubeconfig that merely lies in the
 * user's home is no reason to change that cluster. The caller closes it. Throws `invalid_config` as {@link loadClusterConnection} does.
 */
export function connectCluster(config: ClusterSettings, surroundings: ClusterEnvironment): KubeClient | undefined {
  return isInCluster(config, surroundings.env) ? connectAnyCluster(config, surroundings) : undefined;
}

/** A client of whichever cluster is known, as kubectl has it: for questions that change nothing. Otherwise as {@link connectCluster}. */
export function connectAnyCluster({ secret, webhook }: ClusterSettings, surroundings: ClusterEnvironment): KubeClient {
  const { kubeconfig } = secret.kubernetes;
  const { qps, burst, timeout: timeoutMs } = webhook.kubeClientConfig;
  const { clock, observe } = surroundings;
  const connection = loadClusterConnection({ kubeconfig, ...surroundings });
  return createKubeClient({ connection, qps, burst, timeoutMs, clock, ...(observe && { observe }) });
}
