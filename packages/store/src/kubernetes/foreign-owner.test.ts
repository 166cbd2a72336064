import type { KubeSecret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import { foreignOwner, type ManagedFields, OWNED_SECRETS, withoutOwner } from "./foreign-owner.ts";

const own: KubeSecret = {
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "8de38bbc228c3508ad641656f516642f", labels: { "app.flyte.org/managed": "true" } },
};
const data = { "f:data": { ".": {}, "f:u__org__flyte__domain____project____key__api-key": {} } };
const labels = { "f:metadata": { "f:labels": { "f:team": {} } } };

test.each<[string, Partial<KubeSecret["metadata"]>]>([
  [
    "ExternalSecret api-key",
    { ownerReferences: [{ apiVersion: "external-secrets.io/v1", kind: "ExternalSecret", name: "api-key", uid: "1" }] },
  ],
  ["External Secrets", { labels: { "reconcile.external-secrets.io/managed": "true" } }],
  ["External Secrets", { annotations: { "reconcile.external-secrets.io/data-hash": "d1" } }],
  ["Sealed Secrets", { annotations: { "sealedsecrets.bitnami.com/managed": "true" } }],
  ["Argo CD application shop", { annotations: { "argocd.argoproj.io/tracking-id": "shop:/Secret:flyte/8de3" } }],
  [
    "Helm release shop",
    { annotations: { "meta.helm.sh/release-name": "shop" }, labels: { "app.kubernetes.io/managed-by": "Helm" } },
  ],
  ["Flux Kustomization apps", { labels: { "kustomize.toolkit.fluxcd.io/name": "apps" } }],
  ["application shop", { labels: { "app.kubernetes.io/instance": "shop" } }],
  ["hashicorp-vso", { labels: { "app.kubernetes.io/managed-by": "hashicorp-vso" } }],
  ["a\\u001b[31m", { labels: { "app.kubernetes.io/managed-by": "a\u001b[31m" } }],
])("%s keeps a Secret with %j", (owner, metadata) => {
  expect(foreignOwner({ ...own, metadata: { ...own.metadata, ...metadata } })).toBe(owner);
});

test.each<[string, ManagedFields]>([
  ["kustomize-controller", { manager: "kustomize-controller", operation: "Apply", fieldsV1: data }],
  ["argocd-controller", { manager: "argocd-controller", operation: "Update", fieldsV1: data }],
  ["texts", { manager: "texts", operation: "Apply", fieldsV1: { "f:stringData": { "f:k": {} } } }],
  ["anything", { manager: "anything", operation: "Apply", fieldsV1: data }],
])("%s, which has applied the data, keeps a Secret", (manager, fields) => {
  const written = { manager: "flyte", operation: "Update", fieldsV1: data };
  expect(foreignOwner(own, [written, fields])).toBe(`field manager ${manager}, which has applied it`);
});

test.each<[string, KubeSecret, ManagedFields[]]>([
  ["this service or Flyte's has made", own, [{ manager: "flyte", operation: "Update", fieldsV1: data }]],
  ["somebody has made by hand", own, [{ manager: "kubectl-create", operation: "Update", fieldsV1: data }]],
  ["kubectl apply has made", own, [{ manager: "kubectl-client-side-apply", operation: "Update", fieldsV1: data }]],
  ["kubectl apply --server-side has made", own, [{ manager: "kubectl", operation: "Apply", fieldsV1: data }]],
  ["others have labelled alone", own, [{ manager: "kustomize-controller", operation: "Apply", fieldsV1: labels }]],
  ["has no note of anybody", own, [{}]],
  [
    "Sealed Secrets was told to leave",
    { ...own, metadata: { ...own.metadata, annotations: { "sealedsecrets.bitnami.com/managed": "false" } } },
    [],
  ],
])("nothing else keeps a Secret that %s", (_, secret, fields) => {
  expect(foreignOwner(secret, fields)).toBeUndefined();
});

test("the owner is read from what the API server sends, and is not sent back", () => {
  const sent = {
    ...own,
    metadata: { ...own.metadata, managedFields: [{ manager: "x", operation: "Apply", fieldsV1: data }] },
  };
  const secret = OWNED_SECRETS.decode(sent);
  expect(secret.owner).toBe("field manager x, which has applied it");
  expect(withoutOwner(secret)).toEqual(own);
});
