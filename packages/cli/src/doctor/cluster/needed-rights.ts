import type { Config } from "@flyte-secrets/server";

/** What runs in the cluster, each under an account of its own or both under one. */
export const PARTS = ["service", "webhook"] as const;
export type Part = (typeof PARTS)[number];

/** Some verbs on a kind of object, in the words of RBAC. */
export interface NeededRights {
  readonly part: Part;
  readonly verbs: readonly string[];
  /** Empty for the core API. */
  readonly group: string;
  readonly resource: string;
  /** Undefined: all of them. */
  readonly namespace?: string | undefined;
  /** Undefined: of whatever name. */
  readonly name?: string | undefined;
  /** The name of what `create` is for: where that is there already, the right is not needed. */
  readonly makes?: string;
  /** Whether the command that lets the webhook write for the pods of `namespace` gives it, among others. */
  readonly isWriters?: boolean;
  /** Ends the sentence "which the webhook needs to ...". */
  readonly purpose: string;
}

const SECRETS = { group: "", resource: "secrets" };

export interface Circumstances {
  /** That of webhook and service. */
  readonly namespace: string;
  /** Whether the webhook's certificate is its own to keep, and not others', such as cert-manager's. */
  readonly keepsCertificate: boolean;
}

/** The rights without which a part of this configuration can't do its work. */
export function neededRights(part: Part, config: Config, circumstances: Circumstances): NeededRights[] {
  const rights =
    part === "service"
      ? [...serviceRights(config.secret), ...certificateRights(config.secret.server, circumstances.namespace)]
      : webhookRights(config, circumstances);
  return [...rights, ...tokenRights(part, config.webhook, circumstances.namespace)];
}

/** On the certificate that the service makes for itself. */
function certificateRights({ tls }: Config["secret"]["server"], namespace: string): NeededRights[] {
  if (tls.secretName === "" || tls.certFile !== "") return [];
  const keeping = { ...SECRETS, part: "service", namespace, purpose: "keep its certificate" } as const;
  return [
    { ...keeping, verbs: ["create"], makes: tls.secretName },
    { ...keeping, verbs: ["get", "list", "watch", "update"], name: tls.secretName },
  ];
}

/** On the token by which the webhook knows the service. */
function tokenRights(part: Part, webhook: Config["webhook"], namespace: string): NeededRights[] {
  const { cacheInvalidationTokenFile: file, cacheInvalidationTokenSecret: name } = webhook;
  if (name === "" || file !== "") return [];
  const keeping = { ...SECRETS, part, namespace, purpose: "keep the token of /invalidate-secret" };
  return [
    { ...keeping, verbs: ["create"], makes: name },
    { ...keeping, verbs: ["get"], name },
  ];
}

function serviceRights({ store, kubernetes, imagePullNamespace }: Config["secret"]): NeededRights[] {
  if (store.type === "Embedded") return [];
  const keep = { ...SECRETS, part: "service", purpose: "keep the secrets" } as const;
  const write = ["create", "get", "update", "delete"];
  const { namespace } = kubernetes;
  const mirror = { ...keep, verbs: write, namespace: imagePullNamespace, purpose: "keep image-pull secrets" };
  return [{ ...keep, verbs: [...write, "list"], namespace }, ...(imagePullNamespace === namespace ? [] : [mirror])];
}

function webhookRights({ secret, webhook }: Config, { namespace, keepsCertificate }: Circumstances): NeededRights[] {
  const { secretName, serviceName, writtenSecrets, scopeBinding } = webhook;
  const isRegisteredByOthers = webhook.disableCreateMutatingWebhookConfig;
  const { type, delivery, k8sConfig, imagePullSecrets } = webhook.embeddedSecretManagerConfig;
  const values = type === "Store" ? secret.kubernetes.namespace : k8sConfig.namespace;
  const isWatching = type === "K8s" || (type === "Store" && secret.store.type === "Kubernetes");
  const own = { ...SECRETS, part: "webhook", namespace } as const;
  const keeping = { ...own, purpose: "keep its certificate" };
  const naming = { ...own, purpose: "keep the key of the names of the Secrets it writes" };
  const registering = {
    part: "webhook",
    group: "admissionregistration.k8s.io",
    resource: "mutatingwebhookconfigurations",
    purpose: "register itself",
  } as const;
  const reading = [
    ...(isWatching ? [{ namespace: values, purpose: "read the secrets" }] : []),
    ...(imagePullSecrets.enabled && !(isWatching && secret.imagePullNamespace === values)
      ? [{ namespace: secret.imagePullNamespace, purpose: "read image-pull secrets" }]
      : []),
  ];
  // Pods refer to what lies in their own namespace.
  const listed = writtenSecrets.namespaces.filter(
    (each) => reading.length === 0 || reading.some((from) => from.namespace !== each),
  );
  const written = writtenSecrets.namespaces.length === 0 ? [undefined] : listed;
  const namingSecret = `${secretName}-naming`;
  return [
    ...(keepsCertificate
      ? [
          { ...keeping, verbs: ["create"], makes: secretName },
          { ...keeping, verbs: ["get", "list", "watch", "update"], name: secretName },
        ]
      : []),
    ...(isRegisteredByOthers
      ? []
      : [
          { ...registering, verbs: ["create"], makes: serviceName },
          { ...registering, verbs: ["list", "watch", "update"], name: serviceName },
        ]),
    ...reading.map((from) => ({ ...own, verbs: ["get", "list", "watch"], ...from })),
    ...(scopeBinding.namespaceLabels && scopeBinding.mode !== "off"
      ? [
          {
            part: "webhook",
            group: "",
            resource: "namespaces",
            verbs: ["get", "list", "watch"],
            purpose: "follow the labels that say what their pods may claim",
          } as const,
        ]
      : []),
    ...(delivery === "SecretRef"
      ? [
          { ...naming, verbs: ["create"], makes: namingSecret },
          { ...naming, verbs: ["get"], name: namingSecret },
          ...written.flatMap(writingRights),
        ]
      : []),
  ];
}

function writingRights(namespace: string | undefined): NeededRights[] {
  const written = {
    part: "webhook",
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
