import { isAddressRange } from "./address-ranges.ts";
import { limitsSection } from "./limits.ts";
import { listOf, mapOf, objectOf, oneOf, optional, type Read, string } from "./read.ts";
import { scopeBindingSection } from "./scope-binding.ts";
import { initContainersSection, kubeClient, secretManagerSections } from "./secret-managers.ts";
import { choice, choices, duration, integer, section, structure, text, texts, toggle } from "./setting.ts";

const MANAGERS = ["Global", "K8s", "AWS", "GCP", "Azure", "Vault", "Embedded"] as const;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements */
export interface LabelSelector {
  readonly matchLabels?: Record<string, string> | undefined;
  readonly matchExpressions?: LabelRequirement[] | undefined;
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: string[] | undefined;
}

const SELECTOR = "a Kubernetes label selector";
const selectorText = string(SELECTOR);
const labelRequirement = objectOf<LabelRequirement>(
  {
    key: selectorText,
    operator: oneOf(["In", "NotIn", "Exists", "DoesNotExist"], SELECTOR),
    values: optional(listOf(selectorText, SELECTOR)),
  },
  SELECTOR,
);
const wholeSelector = objectOf<LabelSelector>(
  {
    matchLabels: optional(mapOf(selectorText, SELECTOR)),
    matchExpressions: optional(listOf(labelRequirement, SELECTOR)),
  },
  SELECTOR,
);
const labelSelector: Read<LabelSelector | null> = (value) => (value === null ? null : wholeSelector(value));

const CONDITIONS = "a list of maps with name and expression";
const conditionText = string(CONDITIONS, (value) => value !== "");
const matchCondition = objectOf<{ readonly name: string; readonly expression: string }>(
  { name: conditionText, expression: conditionText },
  CONDITIONS,
);
/** As many as the API server takes. */
const MAX_CONDITIONS = 64;

const GROUPS = "a map of lists of groups";

/** `webhook`, also read as `flyte-pod-webhook` and `secretsWebhook`: injection into pods. */
export const webhookSection = section(
  "Injection into pods. `flyte-pod-webhook` and `secretsWebhook` are read as the same section.",
  {
    enabled: toggle({
      default: false,
      about: "Whether `serve` runs the webhook too; `flyte-secrets webhook` always does.",
    }),
    secretManagerType: choice(MANAGERS, { default: "Embedded", about: "Deprecated: the one secret manager." }),
    secretManagerTypes: choices(MANAGERS, {
      default: [],
      about: "Secret managers in order of preference, instead of `secretManagerType`. Global always comes first.",
    }),
    secretEnvVarPrefix: text({
      default: "_UNION_",
      about: "Prefix of the variables that carry secrets.",
      accepts: (value) => value !== "",
      must: "text of at least one character",
      remedy: "flytekit reads an empty FLYTE_SECRETS_ENV_PREFIX as _FSEC_: write `_FSEC_` or leave the key out",
      effect: "now",
    }),
    secretEnvVarNaming: choice(["raw", "posix"], {
      default: "raw",
      about:
        "`raw` keeps every character of a key in the variable's name; `posix` adds a second name with `_` for " +
        "every character outside of `[A-Z0-9_]`.",
      effect: "now",
    }),
    host: text({
      default: "",
      about:
        "Address for `listenPort` and `cacheInvalidationPort`. Empty: all addresses of the machine. With the " +
        "Embedded store outside of a cluster the default is 127.0.0.1.",
    }),
    listenPort: integer({ default: 9443, min: 0, max: 65535, about: "HTTPS port of the webhook." }),
    clientCA: text({
      default: "",
      about:
        "PEM file with the CA of the API server's client certificate. Clients without a certificate of this CA " +
        "cannot connect to `listenPort`. Empty: no client certificate is required.",
    }),
    clientNames: texts({
      default: [],
      about:
        "With `clientCA`: accepted common names and DNS names of the client certificate. Empty: every certificate " +
        "of that CA is accepted.",
    }),
    allowInlineToEverybody: toggle({
      default: false,
      about:
        "Allow `delivery: Inline` to listen beyond this machine without `clientCA`. Everybody who reaches " +
        "`listenPort` can then read every secret by a review with an invented pod.",
    }),
    cacheInvalidationPort: integer({
      default: 9444,
      min: 0,
      max: 65535,
      about:
        "Port of `/invalidate-secret`; 0 turns it off. The default is 0 if values come from the Embedded store, " +
        "which the webhook watches.",
    }),
    cacheInvalidationTokenFile: text({
      default: "",
      about:
        "File with the token that the service sends and `/invalidate-secret` requires. Without it, " +
        "`cacheInvalidationTokenSecret` and `cacheInvalidationPeers`, the port is opened on 127.0.0.1 only.",
    }),
    cacheInvalidationTokenSecret: text({
      default: "",
      about:
        "Without a file: Secret with that token, in the namespace of webhook and service. The first of them to " +
        "start creates it.",
    }),
    cacheInvalidationPeers: texts({
      default: [],
      about:
        "IP addresses and ranges such as 10.0.0.0/8 that may call `/invalidate-secret` without the token: those of " +
        "Flyte's own service, which cannot send one.",
      accepts: isAddressRange,
      must: "a list of IP addresses and ranges such as 10.0.0.0/8",
    }),
    serviceName: text({
      default: "flyte-pod-webhook",
      about: "Name of the webhook's Service and of its registration.",
    }),
    servicePort: integer({ default: 443, min: 1, max: 65535, about: "Port of that service." }),
    url: text({
      default: "",
      about:
        "URL of a webhook outside of the cluster, such as https://host.example.com:9443/mutate--v1-pod. Empty: the " +
        "API server uses the Service.",
      accepts: (value) => value === "" || /^https:\/\/[^/?#]+\/mutate--v1-pod$/.test(value),
      must: "an https address with the path /mutate--v1-pod",
    }),
    secretName: text({ default: "flyte-pod-webhook", about: "Secret with the webhook's certificates." }),
    certDir: text({
      default: "/etc/webhook/certs",
      about: "Directory of certificate files. Environment variables in the path are expanded.",
    }),
    localCert: toggle({ default: false, about: "Also write the certificates to `certDir`." }),
    webhookTimeout: integer({
      default: 10,
      min: 1,
      max: 30,
      about: "Seconds that the API server waits for the webhook: a replica that hangs delays a pod by this time.",
    }),
    disableCreateMutatingWebhookConfig: toggle({
      default: false,
      about: "Do not create or update the registration; something else does.",
    }),
    namespaceSelector: structure(labelSelector, SELECTOR, {
      default: null,
      about: "Namespaces whose pods are sent to the webhook. Default: all.",
    }),
    objectSelector: structure(labelSelector, SELECTOR, {
      default: null,
      about:
        'Pods that are sent to the webhook, among those with the label `inject-flyte-secrets: "true"`. Default: all ' +
        "of them.",
    }),
    matchConditions: structure(listOf(matchCondition, CONDITIONS, MAX_CONDITIONS), CONDITIONS, {
      default: [],
      about:
        "Further CEL conditions on the request, such as `{name: not-of-ci, expression: request.userInfo.username " +
        "!= 'ci'}`.",
    }),
    failurePolicy: choice(["Fail", "Ignore"], {
      default: "Fail",
      about:
        "What happens to a pod that requests secrets while no webhook responds: `Fail` rejects it, `Ignore` " +
        "creates it without them.",
    }),
    kubeClientConfig: section("The webhook's Kubernetes client.", kubeClient(100, 25)),
    kubernetes: section("The keys of Flyte's guide.", {
      namespace: text({
        default: "",
        about: "Default of `secret.kubernetes.namespace` and `k8sConfig.namespace`.",
      }),
    }),
    limits: limitsSection,
    initContainers: initContainersSection,
    scopeBinding: scopeBindingSection,
    groupBinding: structure(mapOf(listOf(string(GROUPS), GROUPS), GROUPS), GROUPS, {
      default: {},
      about:
        "Groups that pods may name, by namespace. The namespace `*` stands for all that are not listed; a group " +
        "may end with `*`. Pods of a namespace without an entry may name every group.",
    }),
    writtenSecrets: section("The Secrets that `delivery: SecretRef` writes into pods' namespaces.", {
      namespaces: texts({
        default: [],
        about: "Namespaces that it may write to. Empty: all, which needs a ClusterRole.",
      }),
      unusedFor: duration({
        default: "1h",
        about: "Time until a Secret is deleted that pods have named and no pod names any more; at least `1m`.",
      }),
      unnamedFor: duration({
        default: "10m",
        about:
          "Time until a Secret is deleted that no pod has ever been seen to name, such as that of a rejected pod; " +
          "at least `1m`.",
      }),
      maxUnnamed: integer({
        default: 1_000,
        min: 1,
        about:
          "Maximum number of Secrets of a namespace that no pod has been seen to name. Pods that need another one " +
          "are rejected with 503.",
      }),
      maxUnnamedBytes: integer({
        default: 67_108_864,
        min: 1_048_576,
        about: "Maximum size in bytes of the values of those Secrets of a namespace together.",
      }),
      maxWritesPerMinute: integer({
        default: 600,
        min: 1,
        about:
          "Maximum number of Secrets that a process writes for one namespace in a minute, so that other namespaces " +
          "are served too.",
      }),
      maxSecrets: integer({
        default: 10_000,
        min: 1,
        about: "Maximum number of delivered Secrets of a namespace that a process keeps track of.",
      }),
    }),
    ...secretManagerSections,
    "metrics-prefix": text({ default: "flyte:", about: "Accepted, without effect, as in Flyte.", effect: "never" }),
    imageBuilderConfig: structure((value): unknown => value, "a map", {
      default: null,
      about: "Accepted, without effect.",
      effect: "never",
    }),
  },
);
