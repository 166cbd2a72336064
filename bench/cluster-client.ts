import { readFileSync } from "node:fs";
import { systemClock } from "@flyte-secrets/core";
import { createKubeClient, type KubeClient, loadClusterConnection } from "@flyte-secrets/kube";
import type { Cluster } from "../e2e/kubernetes/cluster.ts";

/** What nothing that is measured comes up to. */
export const UNLIMITED = 100_000;

/** A client of a cluster that is measured, whose own limits are in nobody's way. The caller closes it. */
export function connectAsAdmin({ adminKubeconfig }: Pick<Cluster, "adminKubeconfig">): KubeClient {
  const clock = systemClock;
  const connection = loadClusterConnection({ kubeconfig: adminKubeconfig, env: {}, home: "/nowhere", clock });
  return createKubeClient({ connection, qps: UNLIMITED, burst: UNLIMITED, timeoutMs: 60_000, clock });
}

/** The token of the administrator of a cluster that is measured. */
export function adminToken({ adminKubeconfig }: Pick<Cluster, "adminKubeconfig">): string {
  return JSON.parse(readFileSync(adminKubeconfig, "utf8")).users[0].user.token;
}
