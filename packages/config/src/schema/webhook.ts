import { z } from "zod";
import { isAddressRange } from "./address-ranges.ts";
import { limitsSection } from "./limits.ts";
import { scopeBindingSection } from "./scope-binding.ts";
import { initContainersSection, kubeClient, secretManagerSections } from "./secret-managers.ts";
import { choice, choices, duration, integer, section, structure, text, texts, toggle } from "./setting.ts";

const MANAGERS = ["Global", "K8s", "AWS", "GCP", "Azure", "Vault", "Embedded"] as const;

const labelSelector = z
  .object({
    matchLabels: z.record(z.string(), z.string()).optional(),
    matchExpressions: z
      .array(
        z.object({
          key: z.string(),
          operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
          values: z.array(z.string()).optional(),
        }),
      )
      .optional(),
  })
  .nullable();

/** As many as the API server takes. */
const matchConditions = z.array(z.object({ name: z.string().min(1), expression: z.string().min(1) })).max(64);

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
      about: "Secret managers in order of preference, in place of `secretManagerType`. Global always comes first.",
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
        "`raw` keeps every character of a key in the variable's name; `posix` adds the name with others than `[A-Z0-9_]` as `_`.",
      effect: "now",
    }),
    host: text({
      default: "",
      about:
        "Address that `listenPort` and `cacheInvalidationPort` are opened on; empty: all of the machine's. With the Embedded store outside " +
        "of a cluster the default is 127.0.0.1.",
    }),
    listenPort: integer({ default: 9443, min: 0, max: 65535, about: "HTTPS port of the webhook." }),
    clientCA: text({
      default: "",
      about:
        "PEM file with the CA of the certificate that the API server shows to webhooks; whoever shows none by it gets no connection to " +
        "`listenPort`. Empty: none is asked for.",
    }),
    clientNames: texts({
      default: [],
      about:
        "With `clientCA`: common names or DNS names that the certificate must have one of; empty: any certificate of that CA will do.",
    }),
    allowInlineToEverybody: toggle({
      default: false,
      about:
        "Let `delivery: Inline` listen beyond this machine without `clientCA`. Everybody who reaches `listenPort` can then read every " +
        "secret, by a review that names an invented pod.",
    }),
    cacheInvalidationPort: integer({
      default: 9444,
      min: 0,
      max: 65535,
      about:
        "Port of `/invalidate-secret`; 0 turns it off, which is the default where values come from the Embedded store: its webhook watches " +
        "the store.",
    }),
    cacheInvalidationTokenFile: text({
      default: "",
      about:
        "File with a token that `/invalidate-secret` asks for and the service sends. Without it, `cacheInvalidationTokenSecret` " +
        "and `cacheInvalidationPeers` the port is opened on 127.0.0.1 only.",
    }),
    cacheInvalidationTokenSecret: text({
      default: "",
      about:
        "Secret in the namespace of webhook and service in which such a token is kept where no file is given; whoever starts first makes it.",
    }),
    cacheInvalidationPeers: texts({
      default: [],
      about:
        "IP addresses and ranges such as 10.0.0.0/8 that may call `/invalidate-secret` without the token: those of Flyte's own service, " +
        "which can send none.",
      accepts: isAddressRange,
      must: "a list of IP addresses and ranges such as 10.0.0.0/8",
    }),
    serviceName: text({ default: "flyte-pod-webhook", about: "Service of the webhook and name of its registration." }),
    servicePort: integer({ default: 443, min: 1, max: 65535, about: "Port of that service." }),
    url: text({
      default: "",
      about:
        "Where the API server reaches the webhook from outside of the cluster, such as https://host.example.com:9443/mutate--v1-pod; empty: by the service.",
      accepts: (value) => value === "" || /^https:\/\/[^/?#]+\/mutate--v1-pod$/.test(value),
      must: "an https address with the path /mutate--v1-pod",
    }),
    secretName: text({ default: "flyte-pod-webhook", about: "Secret with the webhook's certificates." }),
    certDir: text({
      default: "/etc/webhook/certs",
      about: "Directory of certificate files. Environment variables in it are expanded.",
    }),
    localCert: toggle({ default: false, about: "Also write the certificates to `certDir`." }),
    webhookTimeout: integer({
      default: 10,
      min: 1,
      max: 30,
      about: "Seconds that the API server waits for the webhook: what a replica that hangs costs a pod.",
    }),
    disableCreateMutatingWebhookConfig: toggle({ default: false, about: "Leave the registration to somebody else." }),
    namespaceSelector: structure(labelSelector, "a Kubernetes label selector", {
      default: null,
      about: "Namespaces whose pods are sent to the webhook; none: all.",
    }),
    objectSelector: structure(labelSelector, "a Kubernetes label selector", {
      default: null,
      about:
        'Pods that are sent to the webhook, of those with the label `inject-flyte-secrets: "true"`; none: all of them.',
    }),
    matchConditions: structure(matchConditions, "a list of maps with name and expression", {
      default: [],
      about:
        "CEL expressions over the request that have to be true as well, such as " +
        "`{name: not-of-ci, expression: request.userInfo.username != 'ci'}`.",
    }),
    failurePolicy: choice(["Fail", "Ignore"], {
      default: "Fail",
      about:
        "What becomes of a pod that asks for secrets while no webhook answers: `Fail` refuses it, `Ignore` creates it without them.",
    }),
    kubeClientConfig: section("The webhook's Kubernetes client.", kubeClient(100, 25)),
    kubernetes: section("The form of Flyte's guide.", {
      namespace: text({
        default: "",
        about: "Sets `secret.kubernetes.namespace` and `k8sConfig.namespace` where those are not set.",
      }),
    }),
    limits: limitsSection,
    initContainers: initContainersSection,
    scopeBinding: scopeBindingSection,
    groupBinding: structure(z.record(z.string(), z.array(z.string())), "a map of lists of groups", {
      default: {},
      about:
        "Groups that pods may name, by namespace; `*` is every namespace that is not listed, and a group may end with `*`. A namespace without an entry may name any.",
    }),
    writtenSecrets: section("The Secrets that `delivery: SecretRef` writes into pods' namespaces.", {
      namespaces: texts({
        default: [],
        about: "Where it may write. Empty: everywhere, which needs a ClusterRole.",
      }),
      unusedFor: duration({
        default: "1h",
        about: "After which one that pods named, and no pod names any more, is deleted; `1m` or more.",
      }),
      unnamedFor: duration({
        default: "10m",
        about: "After which one that no pod was ever seen to name is deleted, as those of refused pods; `1m` or more.",
      }),
      maxUnnamed: integer({
        default: 1_000,
        min: 1,
        about: "How many of those one namespace may have. Over it, pods that need another are rejected with 503.",
      }),
      maxUnnamedBytes: integer({
        default: 67_108_864,
        min: 1_048_576,
        about: "How many bytes of values those of one namespace may have together.",
      }),
      maxWritesPerMinute: integer({
        default: 600,
        min: 1,
        about: "How many Secrets one process writes a minute for one namespace, so that others have their turn.",
      }),
      maxSecrets: integer({
        default: 10_000,
        min: 1,
        about: "How many Secrets one namespace may have that were written for pods. More are not remembered.",
      }),
    }),
    ...secretManagerSections,
    "metrics-prefix": text({ default: "flyte:", about: "Accepted, without effect, as in Flyte.", effect: "never" }),
    imageBuilderConfig: structure(z.unknown(), "a map", {
      default: null,
      about: "Accepted, without effect.",
      effect: "never",
    }),
  },
);
