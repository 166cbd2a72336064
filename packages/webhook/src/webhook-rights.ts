import { certificateRights, type NeededRights, sharedKeyRights } from "@flyte-secrets/kube";
import { type WebhookOptions, writesSecrets } from "./webhook-options.ts";

export interface WebhookRightsOptions {
  /** Whether the webhook maintains its certificate itself, rather than something else such as cert-manager. */
  readonly keepsCertificate: boolean;
}

/** The rights in the cluster that a webhook of these options needs. */
export function webhookRights(options: WebhookOptions, { keepsCertificate }: WebhookRightsOptions): NeededRights[] {
  const { namespace } = options;
  const { cacheInvalidationTokenFile: file, cacheInvalidationTokenSecret: token } = options.endpoints;
  const naming = {
    namespace,
    name: options.writer.namingKeySecret,
    purpose: "keep the key of the names of the Secrets it writes",
  };
  return [
    ...(keepsCertificate ? certificateRights("webhook", namespace, options.certificate.secretName) : []),
    ...registrationRights(options),
    ...readingRights(options),
    ...(writesSecrets(options)
      ? [...sharedKeyRights("webhook", naming), ...writtenNamespaces(options).flatMap(writingRights)]
      : []),
    ...(token === "" || file !== ""
      ? []
      : sharedKeyRights("webhook", { namespace, name: token, purpose: "keep the token of /invalidate-secret" })),
  ];
}

function registrationRights({ registration }: WebhookOptions): NeededRights[] {
  if (registration === undefined) return [];
  const { name } = registration;
  const registering = {
    component: "webhook",
    group: "admissionregistration.k8s.io",
    resource: "mutatingwebhookconfigurations",
    purpose: "register itself",
  } as const;
  return [
    { ...registering, verbs: ["create"], makes: name },
    { ...registering, verbs: ["list", "watch", "update"], name },
  ];
}

function readingRights({ admission, values, writer }: WebhookOptions): NeededRights[] {
  const { mode, namespaceLabels } = admission.scopeBinding;
  const following = { component: "webhook", group: "", verbs: ["get", "list", "watch"] } as const;
  const { imagePullNamespace: images } = writer;
  const secrets = { ...following, resource: "secrets" };
  return [
    ...(values.namespace === undefined
      ? []
      : [{ ...secrets, namespace: values.namespace, purpose: "read the secrets" }]),
    ...(images === undefined || images === values.namespace
      ? []
      : [{ ...secrets, namespace: images, purpose: "read image-pull secrets" }]),
    ...(namespaceLabels && mode !== "off"
      ? [{ ...following, resource: "namespaces", purpose: "follow the labels that say what their pods may claim" }]
      : []),
  ];
}

/** The namespaces that it writes to; `undefined` stands for all. Pods refer only to Secrets of their own namespace. */
function writtenNamespaces({ admission, values, writer }: WebhookOptions): (string | undefined)[] {
  const { namespaces, imagePullNamespace: images } = writer;
  if (namespaces.length === 0) return [undefined];
  return namespaces.filter(
    (each) =>
      (admission.delivery === "SecretRef" && each !== values.namespace) || (images !== undefined && each !== images),
  );
}

function writingRights(namespace: string | undefined): NeededRights[] {
  const written = {
    component: "webhook",
    group: "",
    namespace,
    isWriters: true,
    purpose: "write the Secrets of pods",
  } as const;
  return [
    { ...written, resource: "secrets", verbs: ["create", "get", "list", "watch", "patch", "delete"] },
    { ...written, resource: "pods", verbs: ["list"], purpose: "see which of the Secrets it wrote are in use" },
  ];
}
