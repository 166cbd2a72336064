import { DEFAULT_POD_LIMITS } from "@flyte-secrets/core";
import type { AdmissionOptions } from "../admission/create-admission.ts";
import type { ScopeBinding } from "../binding/scope-binding.ts";
import type { WebhookOptions } from "../webhook-options.ts";

const SIDECAR = { sidecarImage: "sidecar", resources: {} };

/** The default of `webhook.scopeBinding`, with the domain of `taskPod`. */
export const SCOPE_BINDING: ScopeBinding = {
  mode: "enforce",
  namespaces: {},
  namespaceLabels: false,
  namespaceTemplate: "{{ project }}-{{ domain }}",
  domains: ["d"],
  projects: [],
  trustedNamespaces: ["flyte"],
  trustedCreators: [],
};

/** The Embedded manager, whose values go into Secrets. */
export const ADMISSION_OPTIONS: AdmissionOptions = {
  managers: {
    order: ["Embedded"],
    k8s: { copies: true, optional: true },
    aws: SIDECAR,
    gcp: SIDECAR,
    azure: SIDECAR,
    vault: {},
    embedded: { hasGroups: false },
  },
  guard: {
    groupBinding: {},
    valueNamespaces: ["flyte"],
    installationNamespaces: ["installed", "flyte"],
    protectedSecrets: ["flyte-pod-webhook", "flyte-pod-webhook-*", "flyte-secrets-*"],
  },
  global: { envPrefix: "FLYTE_SECRET_", directory: "/etc/secrets" },
  scopeBinding: SCOPE_BINDING,
  organization: "flyte",
  secretEnvVarPrefix: "_UNION_",
  envVarNaming: "raw",
  delivery: "SecretRef",
  inline: {},
  limits: DEFAULT_POD_LIMITS,
  maxBodyBytes: 8 * 1024 * 1024,
  timeoutMs: 10_000,
};

/** The admission on a free port of this machine, without invalidations, probes, metrics and a registration. */
const OPTIONS: Omit<WebhookOptions, "values"> = {
  namespace: "flyte",
  admission: ADMISSION_OPTIONS,
  writer: {
    namespaces: [],
    unusedFor: 3_600_000,
    unnamedFor: 600_000,
    maxUnnamed: 1_000,
    maxUnnamedBytes: 64 * 1024 * 1024,
    maxWritesPerMinute: 600,
    maxSecrets: 10_000,
    namingKeySecret: "flyte-pod-webhook-naming",
    imagePullNamespace: undefined,
  },
  endpoints: {
    host: "127.0.0.1",
    listenPort: 0,
    clientCA: "",
    clientNames: [],
    allowInlineToEverybody: false,
    limits: {
      connections: 4_096,
      connectionsPerAddress: 0,
      allBodiesBytes: 64 * 1024 * 1024,
      invalidationsPerSecond: 200,
    },
    cacheInvalidationPort: 0,
    cacheInvalidationTokenFile: "",
    cacheInvalidationTokenSecret: "",
    isInvalidationPeer: undefined,
    healthProbeBindAddress: "",
    metricsBindAddress: "",
    metricsSecure: false,
  },
  certificate: {
    serviceName: "flyte-pod-webhook",
    url: "",
    certDir: "/nowhere",
    localCert: false,
    secretName: "flyte-pod-webhook",
    directory: "/nowhere",
  },
  registration: undefined,
  cluster: clusterSettings(""),
  tracing: {
    type: "noop",
    file: { filename: "" },
    otlpgrpc: { endpoint: "" },
    otlphttp: { endpoint: "" },
    sampler: { parentSampler: "always", traceIdRatio: 1 },
  },
};

const CACHE = {
  ttlMs: 300_000,
  negativeTtlMs: 30_000,
  staleMs: 86_400_000,
  maxBytes: 64 * 1024 * 1024,
  timeoutMs: 5_000,
  maxFetches: 128,
};

/** Options of a webhook over the embedded store of a directory, changed group by group. */
export function webhookOptions(
  directory: string,
  change: { readonly [Group in Exclude<keyof WebhookOptions, "namespace">]?: Partial<WebhookOptions[Group]> } = {},
): WebhookOptions {
  const values: WebhookOptions["values"] = {
    provider: "Store",
    namespace: undefined,
    formerNamespace: "",
    lookup: { source: { type: "Store" }, cache: CACHE, maxIdLength: 253 },
    store: { directory },
  };
  return {
    ...OPTIONS,
    admission: { ...OPTIONS.admission, ...change.admission },
    values: { ...values, ...change.values },
    writer: { ...OPTIONS.writer, ...change.writer },
    endpoints: { ...OPTIONS.endpoints, ...change.endpoints },
    certificate: { ...OPTIONS.certificate, ...change.certificate },
    tracing: { ...OPTIONS.tracing, ...change.tracing },
    cluster: { ...OPTIONS.cluster, ...change.cluster },
    ...(change.registration && { registration: { ...REGISTRATION, ...change.registration } }),
  };
}

export const REGISTRATION = {
  name: "flyte-pod-webhook",
  address: { service: { name: "flyte-pod-webhook", namespace: "flyte", port: 443 } },
  timeoutSeconds: 10,
  failurePolicy: "Fail",
  namespaceSelector: null,
  objectSelector: null,
  matchConditions: [],
} as const;

/** The cluster that a kubeconfig names. */
export function clusterSettings(kubeconfig: string): WebhookOptions["cluster"] {
  return {
    secret: { kubernetes: { kubeconfig } },
    webhook: { kubeClientConfig: { qps: 100, burst: 25, timeout: 30_000 } },
  };
}
