import type { KubeClient } from "./client.ts";
import { defineResource, type KubeObject } from "./objects.ts";

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-access-review-v1/ */
interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed: boolean };
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/ */
interface SelfReview extends KubeObject {
  readonly status?: { readonly userInfo: { readonly username: string } };
}

const OWN_ACCESS = defineResource<AccessReview>({
  apiVersion: "authorization.k8s.io/v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
});
const SELF = defineResource<SelfReview>({
  apiVersion: "authentication.k8s.io/v1",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
});

/** A permission in RBAC's terms; of the core API unless a group is given. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly resource: string;
  readonly group?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** Whether the client's own account has a permission. Throws what the client throws. */
export async function isAllowed(client: Pick<KubeClient, "create">, attributes: ResourceAttributes): Promise<boolean> {
  const review = { ...emptyOf(OWN_ACCESS), spec: { resourceAttributes: { group: "", ...attributes } } };
  const { status } = await client.create(OWN_ACCESS, review);
  return status?.allowed === true;
}

/** The name of the client's own account. Throws what the client throws. */
export async function whoAmI(client: Pick<KubeClient, "create">): Promise<string> {
  const { status } = await client.create<SelfReview>(SELF, emptyOf(SELF));
  return status?.userInfo.username ?? "this user";
}

/** Reviews have no name. */
function emptyOf({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): KubeObject {
  return { apiVersion, kind, metadata: { name: "" } };
}
