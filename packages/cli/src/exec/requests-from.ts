import type { Config } from "@flyte-secrets/config";
import { excerpt, fromRequestAnnotations, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

/** What a file asks for, and for whose tasks. */
export interface FileRequests {
  readonly requests: readonly SecretRequest[];
  /** Each once; empty where the file names none. */
  readonly projects: readonly string[];
  readonly domains: readonly string[];
}

/** The requests in the file of `--from`: those of every pod in a manifest. Throws `usage` where there is none. */
export async function requestsFrom(
  file: string,
  { config, cli }: { readonly config: Config; readonly cli: CliContext },
): Promise<FileRequests> {
  return await requestsOfPods(file, config, cli);
}

async function requestsOfPods(file: string, { webhook }: Config, cli: CliContext): Promise<FileRequests> {
  const { readManifestFile } = await import("../manifests/read-manifests.ts");
  const { withSparkPods } = await import("../manifests/spark-pods.ts");
  const { podsInObject } = await import("../manifests/pod-in-object.ts");
  const objects = await readManifestFile(file, "--from", cli);
  const asking = objects
    .flatMap(withSparkPods)
    .flatMap((object) => podsInObject(object, "default"))
    .map(({ pod: { metadata } }) => ({
      labels: metadata?.labels ?? {},
      requests: fromRequestAnnotations(metadata?.annotations ?? {}, webhook.limits),
    }))
    .filter(({ requests }) => requests.length > 0);
  if (asking.length === 0) throw new SecretsError("usage", `--from: no pod in ${excerpt(file)} asks for a secret`);
  const labels = (name: string) => [...new Set(asking.flatMap(({ labels }) => labels[name] ?? []))];
  return {
    requests: asking.flatMap(({ requests }) => requests),
    projects: labels("project"),
    domains: labels("domain"),
  };
}
