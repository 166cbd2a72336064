import { excerpt, type SecretId, SecretsError } from "@flyte-secrets/core";
import { type KubeResource, type KubeSecret, SECRETS } from "@flyte-secrets/kube";

/** A Secret with the owner of its content, if that is neither this service nor Flyte's. */
export interface OwnedSecret extends KubeSecret {
  /** The owner's name for messages. */
  readonly owner?: string;
}

/** Secrets with their {@link OwnedSecret.owner}. */
export const OWNED_SECRETS: KubeResource<OwnedSecret> = {
  ...SECRETS,
  decode(value) {
    const { metadata } = value as { readonly metadata?: { readonly managedFields?: readonly ManagedFields[] } };
    const secret = SECRETS.decode(value);
    const owner = foreignOwner(secret, metadata?.managedFields);
    return { ...secret, ...(owner !== undefined && { owner }) };
  },
};

/** The Secret without the owner, as Kubernetes accepts it. */
export function withoutOwner({ owner: _, ...secret }: OwnedSecret): KubeSecret {
  return secret;
}

/**
 * Throws `call_refused` for a Secret that something else keeps, unless the caller wants to write all the same (S-17).
 */
export function assertOwn(secret: OwnedSecret, id: SecretId, force = false): void {
  if (secret.owner === undefined || force) return;
  const { name, namespace } = secret.metadata;
  throw new SecretsError(
    "call_refused",
    `secret ${id.name} is kept by ${secret.owner}: change it there, as a change of Secret ${name} in namespace ` +
      `${namespace} would be ` +
      "undone or lost. flyte-secrets update and delete change it all the same with --force.",
  );
}

/**
 * What the API server records about a field manager
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management).
 */
export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/**
 * Labels and annotations by which tools mark their own objects, and the name of the owner of an object that has them.
 */
const MARKS: readonly (readonly [name: string, toOwner: (value: string) => string])[] = [
  ["meta.helm.sh/release-name", (value) => `Helm release ${value}`],
  ["argocd.argoproj.io/tracking-id", (value) => `Argo CD application ${value.replace(/:.*/s, "")}`],
  ["argocd.argoproj.io/instance", (value) => `Argo CD application ${value}`],
  ["kustomize.toolkit.fluxcd.io/name", (value) => `Flux Kustomization ${value}`],
  ["helm.toolkit.fluxcd.io/name", (value) => `Flux HelmRelease ${value}`],
  ["reconcile.external-secrets.io/managed", () => "External Secrets"],
  ["reconcile.external-secrets.io/data-hash", () => "External Secrets"],
  ["sealedsecrets.bitnami.com/managed", () => "Sealed Secrets"],
  ["sealedsecrets.bitnami.com/patch", () => "Sealed Secrets"],
  ["reflector.v1.k8s.emberstack.com/reflects", (value) => `a reflector, as a copy of ${value}`],
  ["replicator.v1.mittwald.de/replicated-from-version", () => "a replicator, as a copy"],
  ["app.kubernetes.io/managed-by", (value) => value],
  // Of Argo CD before version 3, and of charts.
  ["app.kubernetes.io/instance", (value) => `application ${value}`],
];

/**
 * Field managers that write what is declared elsewhere, by PUT or PATCH. Flyte's service is not recognized by its name,
 * which is that of the binary it is built into.
 */
const DECLARING = /^(?:argocd|external-?secrets|helm|kustomize-controller|HashiCorp|Terraform)/i;

/** Labels or annotations without the marks of tools, for a copy that they do not manage. */
export function withoutMarks(texts: Readonly<Record<string, string>>): Record<string, string> {
  const isMark = (name: string) => name === LAST_APPLIED || MARKS.some(([mark]) => mark === name);
  return Object.fromEntries(Object.entries(texts).filter(([name]) => !isMark(name)));
}

/** kubectl's annotation, which contains the value. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** The API server records `stringData` that was applied under that name, although it becomes `data`. */
const DATA_FIELDS = ["f:data", "f:stringData"];

/** kubectl, used by hand or in a script that runs once: it does not restore what it has applied. */
const BY_HAND = /^kubectl(?:-|$)/;

/**
 * The owner of a Secret's content: the owner of the object, a tool whose mark it has, or a field manager that has
 * applied its data. Undefined for a Secret that was created by hand, by Flyte's service or by this one.
 */
export function foreignOwner({ metadata }: KubeSecret, fields: readonly ManagedFields[] = []): string | undefined {
  const { ownerReferences = [], labels = {}, annotations = {} } = metadata;
  const [owner] = ownerReferences;
  if (owner !== undefined) return excerpt(`${owner.kind} ${owner.name}`);
  for (const [name, toOwner] of MARKS) {
    const value = annotations[name] ?? labels[name];
    if (value !== undefined && value !== "" && value !== "false") return excerpt(toOwner(value));
  }
  const declarer = fields.find(
    ({ manager = "", operation, fieldsV1 = {} }) =>
      DATA_FIELDS.some((field) => Object.hasOwn(fieldsV1, field)) &&
      (DECLARING.test(manager) || (operation === "Apply" && !BY_HAND.test(manager))),
  );
  return declarer && `field manager ${excerpt(declarer.manager ?? "")}, which has applied it`;
}
