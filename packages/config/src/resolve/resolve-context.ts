import { resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import type { Settings } from "../schema/config-schema.ts";
import type { Assignment } from "../sources/assignment.ts";
import type { Environment } from "../sources/overrides.ts";

/** The machine and the user that a configuration is resolved for. */
export interface ResolveContext {
  readonly env: Environment;
  readonly home: string;
  readonly cwd: string;
  /** The settings that were given, by path; all others are defaults. */
  readonly given: ReadonlyMap<string, Assignment>;
}

/** An error about settings that contradict each other, which names where `setting` was given. */
export function contradiction(setting: string, problem: string, { given }: ResolveContext): SecretsError {
  return new SecretsError("invalid_config", `${given.get(setting)?.origin}: ${setting}: ${problem}`);
}

/** `auto` is Kubernetes in a cluster and where a kubeconfig is named, Embedded elsewhere. */
export function storeType(
  { store, kubernetes }: Settings["secret"],
  { env }: ResolveContext,
): "Embedded" | "Kubernetes" {
  if (store.type !== "auto") return store.type;
  return isInCluster(env) || kubernetes.kubeconfig !== "" ? "Kubernetes" : "Embedded";
}

/** Whether this process runs in a pod, by the two variables that client-go decides by. */
export function isInCluster(env: Environment): boolean {
  return Boolean(env.KUBERNETES_SERVICE_HOST) && Boolean(env.KUBERNETES_SERVICE_PORT);
}

/** Makes a path absolute and replaces a leading `~`; an empty path stays empty. */
export function absolutePath(path: string, { home, cwd }: ResolveContext): string {
  if (path === "") return "";
  return resolve(
    cwd,
    path.replace(/^~(?=\/|$)/, () => home),
  );
}
