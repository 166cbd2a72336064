import type { OpenTracingOptions } from "@flyte-secrets/http";
import type { connectCluster } from "@flyte-secrets/kube";
import type { LookupOptions } from "@flyte-secrets/lookup";
import type { EmbeddedStoreOptions } from "@flyte-secrets/store";
import type { AdmissionOptions } from "./admission/create-admission.ts";
import type { CertificateOptions } from "./certificates/open-certificates.ts";
import type { WriterOptions } from "./delivery/open-secret-writer.ts";
import type { EndpointsOptions } from "./endpoints/start-endpoints.ts";
import type { RegistrationSettings } from "./registration/webhook-configuration.ts";

/** The options of a pod webhook. An error about an option names the setting of the command that sets it. */
export interface WebhookOptions {
  /** The namespace of this process, with its certificate and keys. */
  readonly namespace: string;
  /** Which pods get which secrets, and how. */
  readonly admission: AdmissionOptions;
  /** Where the values come from. */
  readonly values: ValuesOptions;
  /** How delivered Secrets are written. */
  readonly writer: WriterOptions;
  readonly endpoints: EndpointsOptions;
  readonly certificate: CertificateOptions;
  /** Undefined if something else registers the webhook with the API server. */
  readonly registration: RegistrationSettings | undefined;
  /** How the API server is found. */
  readonly cluster: Parameters<typeof connectCluster>[0];
  readonly tracing: OpenTracingOptions["config"];
}

export interface ValuesOptions {
  /** The kind of secret manager with the values, for traces. */
  readonly provider: string;
  /** The namespace of the managed Secrets with the values; undefined if values are elsewhere. */
  readonly namespace: string | undefined;
  /** The earlier namespace of such Secrets. Empty: none. */
  readonly formerNamespace: string;
  readonly lookup: LookupOptions;
  /** The Embedded store, which is opened if it has the values. */
  readonly store: EmbeddedStoreOptions;
}

/** Whether the webhook writes Secrets for pods: their values, or copies of image-pull Secrets. */
export function writesSecrets({ admission, writer }: Pick<WebhookOptions, "admission" | "writer">): boolean {
  return admission.delivery === "SecretRef" || writer.imagePullNamespace !== undefined;
}

/**
 * The namespace that managed Secrets share with pods of several projects: there only labels decide which pod gets which
 * secret, and a pod that refers to a Secret by itself is never sent to the webhook. Undefined if the managed Secrets
 * have a namespace of their own.
 */
export function sharedNamespace({ admission, values, writer }: WebhookOptions): string | undefined {
  const { namespace } = values;
  const { mode, trustedNamespaces, namespaces } = admission.scopeBinding;
  const ofPods = [...trustedNamespaces, ...Object.keys(namespaces), ...writer.namespaces];
  return namespace !== undefined && (mode === "off" || ofPods.includes(namespace)) ? namespace : undefined;
}
