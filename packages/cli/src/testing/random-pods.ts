import { INJECT_LABEL, toRequestAnnotations } from "@flyte-secrets/core";
import { CONTAINERS_ANNOTATION } from "@flyte-secrets/inject";
import fc from "fast-check";

const ALONE = ["Global", "K8s", "AWS", "GCP", "Azure", "Vault", "Embedded"];
const MANAGERS = [...ALONE, "K8s,Embedded", "Embedded,K8s", "AWS,Embedded", "Vault,GCP,Azure,Embedded"];
/** In Kubernetes no project's secret can be called so, and a secret of all can. */
export const LONG_KEY = "l".repeat(209);
const KEYS = ["password", "api-key", "Up.Down", "bytes", "missing", LONG_KEY];
const GROUPS = ["", "my-db", "plain", "nowhere", "DB", "projects/p/secrets/s"];
const VARIABLES = ["", "", "A", "PASSWORD", "_UNION_PASSWORD", "not a name"];

type Generated<T> = T extends fc.Arbitrary<infer U> ? U : never;

/** What a webhook may be configured to do with pods, whatever keeps its values. */
export const webhookSettings = fc.record({
  managers: fc.constantFrom(...MANAGERS),
  delivery: fc.constantFrom("SecretRef", "Inline"),
  naming: fc.constantFrom("raw", "posix"),
  idLength: fc.constantFrom("512", "70"),
  groupBinding: fc.constantFrom("{}", '{"shop-dev":["my-db","DB"]}', '{"elsewhere":["my-db","DB"]}'),
});

/** They as flags of the commands. */
export function toFlags(settings: Generated<typeof webhookSettings>): Record<string, string> {
  return {
    "webhook.secretManagerTypes": settings.managers,
    "webhook.embeddedSecretManagerConfig.delivery": settings.delivery,
    "webhook.secretEnvVarNaming": settings.naming,
    "webhook.limits.idLength": settings.idLength,
    "webhook.groupBinding": settings.groupBinding,
    "webhook.scopeBinding.domains": "dev",
    "webhook.scopeBinding.mode": "warn",
  };
}

export type RandomPod = Generated<ReturnType<typeof randomPods>>;

/** Pods that ask for up to four secrets, good and bad ones, by these keys too. */
export function randomPods(...keys: string[]) {
  const request = fc.record({
    key: fc.constantFrom(...KEYS, ...keys),
    group: fc.constantFrom(...GROUPS),
    groupVersion: fc.constantFrom("", "1"),
    mountRequirement: fc.constantFrom(0, 1, 2),
    envVar: fc.constantFrom(...VARIABLES),
  });
  const mount = fc.record({ name: fc.constant("v"), mountPath: fc.constantFrom("/etc/flyte/secrets", "/data") });
  return fc.record({
    requests: fc.array(request, { maxLength: 4 }),
    labels: fc.constantFrom({ organization: "flyte", project: "shop", domain: "dev" }, { organization: "flyte" }),
    namespace: fc.constantFrom("shop-dev", "elsewhere"),
    named: fc.constantFrom(undefined, "main", "nobody"),
    env: fc.array(fc.record({ name: fc.constantFrom("A", "_UNION_PASSWORD", "B"), value: fc.string() }), {
      maxLength: 2,
    }),
    mounts: fc.array(mount, { maxLength: 1 }),
  });
}

/** The manifest. */
export function podOf({ requests, labels, namespace, named, env, mounts }: RandomPod) {
  const annotations = { ...toRequestAnnotations(requests), ...(named && { [CONTAINERS_ANNOTATION]: named }) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "train", namespace, labels: { ...labels, [INJECT_LABEL]: "true" }, annotations },
    spec: {
      containers: [{ name: "main", image: "train", env, volumeMounts: mounts }],
      volumes: [{ name: "v", emptyDir: {} }],
    },
  };
}
