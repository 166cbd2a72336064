import type { OpenTracingOptions } from "@flyte-secrets/http";
import type { connectCluster } from "@flyte-secrets/kube";
import type { LookupOptions } from "@flyte-secrets/lookup";
import type { EmbeddedStoreOptions } from "@flyte-secrets/store";
import type { AdmissionOptions } from "./admission/create-admission.ts";
import type { CertificateOptions } from "./certificates/open-certificates.ts";
import type { WriterOptions } from "./delivery/open-secret-writer.ts";
import type { EndpointsOptions } from "./endpoints/start-endpoints.ts";
import type { RegistrationSettings } from "./registration/webhook-configuration.ts";

/** All that a pod webhook is told. An error about an option names the setting of the command that it comes from. */
export interface WebhookOptions {
  /** The namespace of this process, in which its certificate and keys are kept. */
  readonly namespace: string;
  /** Which pods get which secrets, and how. */
  readonly admission: AdmissionOptions;
  /** Where the values come from. */
  readonly values: ValuesOptions;
  /** How Secrets for pods are written. */
  readonly writer: WriterOptions;
  readonly endpoints: EndpointsOptions;
  readonly certificate: CertificateOptions;
  /** Undefined where somebody else registers the webhook with the API server. */
  readonly registration: RegistrationSettings | undefined;
  /** How the API server is found, where there is one. */
  readonly cluster: Parameters<typeof connectCluster>[0];
  readonly tracing: OpenTracingOptions["config"];
}

export interface ValuesOptions {
  /** The kind of secret manager that has them, as traces name it. */
  readonly provider: string;
  /** The namespace of the managed Secrets that hold them; undefined where values are not in Secrets. */
  readonly namespace: string | undefined;
  /** The namespace that such Secrets may have been left in. Empty: none. */
  readonly formerNamespace: string;
  readonly lookup: LookupOptions;
  /** The store on this machine, opened where values are in it. */
  readonly store: EmbeddedStoreOptions;
}

/** Whether the webhook writes Secrets for pods: their values, or copies of image-pull Secrets. */
export function writesSecrets({ admission, writer }: Pick<WebhookOptions, "admission" | "writer">): boolean {
  return admission.delivery === "SecretRef" || writer.imagePullNamespace !== undefined;
}

/**
 * The namespace that values share with pods of several projects: there labels alone decide who gets which, and a pod
 * that names a Secret by itself never reaches the webhook. Undefined where values have a namespace of their own.
 */
export function sharedNamespace({ admission, values, writer }: WebhookOptions): string | undefined {
  const { namespace } = values;
  const { mode, trustedNamespaces, namespaces } = admission.scopeBinding;
  const ofPods = [...trustedNamespaces, ...Object.keys(namespaces), ...writer.namespaces];
  return namespace !== undefined && (mode === "off" || ofPods.includes(namespace)) ? namespace : undefined;
}
