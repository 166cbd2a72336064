import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ScopeLevel, SecretValue, toRequestAnnotations } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";

/** What is on the pod and where its secrets live. */
export interface AdmissionCase {
  readonly secrets: number;
  readonly level: Exclude<ScopeLevel, "domain">;
  readonly delivery: "SecretRef" | "Inline";
}

/** The first is what the goals are about. */
export const ADMISSION_CASES: readonly AdmissionCase[] = [
  { secrets: 3, level: "project", delivery: "SecretRef" },
  { secrets: 3, level: "project", delivery: "Inline" },
  { secrets: 3, level: "global", delivery: "SecretRef" },
  { secrets: 20, level: "project", delivery: "SecretRef" },
  { secrets: 20, level: "project", delivery: "Inline" },
];

/**
 * A store with the secrets, and the review of a pod of about 6 KB with two containers that asks for them; every third
 * as a file.
 */
export async function prepareAdmission(
  folder: string,
  { secrets, level }: AdmissionCase,
  name: string,
): Promise<{ directory: string; reviewFile: string }> {
  const directory = join(folder, name);
  const scope = level === "project" ? { domain: "development", project: "flytesnacks" } : { domain: "", project: "" };
  const store = await openEmbeddedStore({ directory });
  const keys = Array.from({ length: secrets }, (_, n) => `secret-${n}`);
  for (const key of keys) {
    await store.create(
      { org: "flyte", ...scope, name: key },
      { value: SecretValue.fromText(`value-of-${key}-0123456789`), type: "generic" },
    );
  }
  await store.close();
  const requests = keys.map((key, n) => ({
    group: "",
    groupVersion: "",
    key,
    mountRequirement: n % 3 === 2 ? 2 : 1,
    envVar: "",
  }));
  const reviewFile = join(folder, `${name}.json`);
  writeFileSync(reviewFile, JSON.stringify(review(toRequestAnnotations(requests))));
  return { directory, reviewFile };
}

function review(annotations: Record<string, string>): unknown {
  const user = { username: "system:serviceaccount:flyte:executor", groups: ["system:authenticated"] };
  const container = (name: string) => ({
    name,
    image: "registry.example/team/tasks@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    args: [
      "pyflyte-execute",
      "--inputs",
      "s3://bucket/metadata/propeller/flytesnacks-development-f1/n0/data/inputs.pb",
    ],
    env: Array.from({ length: 14 }, (_, n) => ({
      name: `FLYTE_INTERNAL_SETTING_${n}`,
      value: `value-${n}-of-some-length`,
    })),
    resources: { limits: { cpu: "2", memory: "4Gi" }, requests: { cpu: "1", memory: "2Gi" } },
    volumeMounts: [
      { name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true },
    ],
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
    imagePullPolicy: "IfNotPresent",
  });
  const labels = {
    organization: "flyte",
    project: "flytesnacks",
    domain: "development",
    "inject-flyte-secrets": "true",
  };
  const managed = { manager: "flytepropeller", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1" };
  const fields = Object.fromEntries(
    Array.from({ length: 30 }, (_, n) => [`f:field-${n}`, { "f:name": {}, "f:value": {} }]),
  );
  return {
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      name: "f1-n0-0",
      namespace: "flytesnacks-development",
      operation: "CREATE",
      userInfo: user,
      object: {
        apiVersion: "v1",
        kind: "Pod",
        metadata: {
          name: "f1-n0-0",
          namespace: "flytesnacks-development",
          labels,
          annotations,
          managedFields: [{ ...managed, fieldsV1: fields }],
        },
        spec: {
          containers: [container("primary"), container("sidecar")],
          volumes: [{ name: "kube-api-access", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }],
          restartPolicy: "Never",
        },
      },
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  };
}
