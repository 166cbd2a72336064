import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { INJECT_LABEL, type SecretRequest, toRequestAnnotations } from "@flyte-secrets/core";

/** A request for a key, as a variable unless told otherwise. */
export function ask(key: string, rest: Partial<SecretRequest> = {}): SecretRequest {
  return { group: "", groupVersion: "", key, mountRequirement: 1, envVar: "", ...rest };
}

/** Metadata of a pod of project shop and domain dev, in its own namespace, that asks for `requests`. */
export function taskMetadata(requests: readonly SecretRequest[], rest: object = {}) {
  return {
    name: "train",
    namespace: "shop-dev",
    labels: { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "dev" },
    annotations: toRequestAnnotations(requests),
    ...rest,
  };
}

/** A pod with that metadata and one container. */
export function taskPod(requests: readonly SecretRequest[], metadata: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: taskMetadata(requests, metadata),
    spec: { containers: [{ name: "main", image: "train" }] },
  };
}

/** Writes an object as JSON, which is YAML too. */
export function writeManifest(directory: string, name: string, content: unknown): void {
  writeFileSync(join(directory, name), JSON.stringify(content));
}
