import { INJECT_LABEL, type SecretRequest, toRequestAnnotations } from "@flyte-secrets/core";

/** A pod of project p and domain d that asks for `requests`. */
export function taskPod(requests: readonly SecretRequest[], rest: { annotations?: Record<string, string> } = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "task",
      namespace: "p-d",
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project: "p", domain: "d" },
      annotations: { ...toRequestAnnotations(requests), ...rest.annotations },
    },
    spec: { containers: [{ name: "main", image: "task" }] },
  };
}

/** A request for a key, as a variable unless told otherwise. */
export function ask(key: string, rest: Partial<SecretRequest> = {}): SecretRequest {
  return { group: "", groupVersion: "", key, mountRequirement: 0, envVar: "", ...rest };
}

/** An AdmissionReview as kube-apiserver sends it for a pod that is being created. */
export function podReview(object: unknown, request: object = {}) {
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "8f9e1b7a-6f0c-4b62-9e52-6d0b5b0f0d11",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      requestResource: { group: "", version: "v1", resource: "pods" },
      namespace: "p-d",
      operation: "CREATE",
      userInfo: { username: "system:serviceaccount:flyte:executor", groups: ["system:authenticated"] },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      ...request,
    },
  };
}
