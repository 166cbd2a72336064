import { z } from "zod";
import { isAddressRange } from "./address-ranges.ts";
import { limitsSection } from "./limits-section.ts";
import {
  choice,
  choices,
  duration,
  integer,
  quantity,
  section,
  structure,
  text,
  textMap,
  texts,
  toggle,
} from "./setting.ts";

const MANAGERS = ["Global", "K8s", "AWS", "GCP", "Azure", "Vault", "Embedded"] as const;

const resources = (cpu: string, memory: string) => {
  const list = (about: string) =>
    section(about, {
      cpu: quantity({ default: cpu, about: "CPU." }),
      memory: quantity({ default: memory, about: "Memory." }),
      "ephemeral-storage": quantity({ default: "", about: "Local disk; empty sets none." }),
    });
  return section("Resources of the init container.", { requests: list("Requests."), limits: list("Limits.") });
};

const sidecar = (image: string) => ({
  sidecarImage: text({ default: image, about: "Image of the init container that fetches." }),
  resources: resources("200m", "500Mi"),
});

const kubeClient = (qps: number, burst: number) => ({
  qps: integer({ default: qps, min: 1, about: "Requests a second to the API server." }),
  burst: integer({ default: burst, min: 1, about: "Requests at once before `qps` holds them back." }),
  timeout: duration({ default: "30s", about: "Time limit of one request." }),
});

const address = (about: string) =>
  text({
    default: "",
    about,
    accepts: (value) => value === "" || (/^https?:\/\//i.test(value) && URL.canParse(value)),
    must: "a URL such as https://HOST:PORT, or empty",
  });

const claim = z.string().regex(/^(?:\*|[^/*]+)\/(?:\*|[^/*]+)$/, { error: "must be PROJECT/DOMAIN, each a name or *" });

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
        "Port of `/invalidate-secret`; 0 turns it off, which is the default where values come from the Embedded store: its webhook hears " +
        "of changes without it.",
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
      default: 30,
      min: 1,
      max: 30,
      about: "Seconds that the API server waits for the webhook.",
    }),
    disableCreateMutatingWebhookConfig: toggle({ default: false, about: "Leave the registration to somebody else." }),
    namespaceSelector: structure(labelSelector, "a Kubernetes label selector", {
      default: null,
      about: "Namespaces whose pods are sent to the webhook; none: all.",
    }),
    kubeClientConfig: section("The webhook's Kubernetes client.", kubeClient(100, 25)),
    kubernetes: section("The form of Flyte's guide.", {
      namespace: text({
        default: "",
        about: "Sets `secret.kubernetes.namespace` and `k8sConfig.namespace` where those are not set.",
      }),
    }),
    limits: limitsSection,
    scopeBinding: section("Which pods may claim a scope. The first of these that knows the pod's namespace decides.", {
      mode: choice(["enforce", "warn", "off"], {
        default: "enforce",
        about: "What becomes of a claim that does not hold.",
      }),
      namespaces: structure(z.record(z.string(), z.array(claim)), "a map of lists of PROJECT/DOMAIN", {
        default: {},
        about:
          "What pods of a namespace may claim, by namespace, as `PROJECT/DOMAIN`; `*` is any project or any domain. A namespace with an entry may claim that and nothing else.",
      }),
      namespaceLabels: toggle({
        default: false,
        about:
          "Whether the labels `flyte.secrets/project` and `flyte.secrets/domain` of a namespace say what its pods may claim. Needs the rights get, list and watch on namespaces.",
      }),
      namespaceTemplate: text({
        default: "{{ project }}-{{ domain }}",
        about:
          "The namespace that a pod's project and domain labels must lead to, for projects and domains that exist.",
      }),
      domains: texts({
        default: ["development", "staging", "production"],
        about: "Domains that exist, for `namespaceTemplate`; Flyte's own by default. `*` is any.",
      }),
      projects: texts({
        default: [],
        about: "Projects that exist, for `namespaceTemplate`. Empty: any.",
      }),
      trustedNamespaces: texts({
        default: ["flyte"],
        about: "Namespaces whose pods may claim any project and domain. Not given: `actions.kubernetes.namespace`.",
      }),
      trustedCreators: texts({ default: [], about: "Users, and groups as `group:NAME`, whose pods may." }),
    }),
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
    k8sSecretManager: section("The K8s manager.", {
      optional: toggle({
        default: true,
        about: "Let a pod start without the Secret or key that it asks for, as Flyte does.",
      }),
      protectedSecrets: texts({
        default: ["flyte-secrets-*"],
        about:
          "Secrets of the installation, beside `webhook.secretName`, that no request gets in the namespaces of webhook, values and Flyte; a name may end with `*`.",
      }),
    }),
    awsSecretManager: section("The AWS manager.", {
      ...sidecar("docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4"),
      enabled: toggle({
        default: false,
        about: "Of Flyte's guide: the same as `embeddedSecretManagerConfig.type: AWS`.",
      }),
      region: text({
        default: "",
        about: "Of Flyte's guide: the same as `embeddedSecretManagerConfig.awsConfig.region`.",
      }),
    }),
    gcpSecretManager: section("The GCP manager.", sidecar("gcr.io/google.com/cloudsdktool/cloud-sdk:alpine")),
    azureSecretManager: section("The Azure manager.", sidecar("mcr.microsoft.com/azure-cli:cbl-mariner2.0")),
    vaultSecretManager: section("The Vault manager.", {
      role: text({ default: "flyte", about: "Vault role of the agent." }),
      kvVersion: choice(["1", "2"], {
        default: "2",
        about: "Deprecated: KV version of requests whose group version is neither `kv1` nor `kv2`.",
      }),
      annotations: textMap({ default: {}, about: "Further annotations for the pod." }),
    }),
    embeddedSecretManagerConfig: section("The Embedded manager.", {
      type: choice(["AWS", "GCP", "Azure", "K8s", "Vault", "Store"], {
        default: "K8s",
        about:
          "Where values come from; `Store` is this project's own, and the default beside it. `flyte-secrets run` always reads its own store.",
      }),
      awsConfig: section("AWS Secrets Manager.", {
        region: text({ default: "", about: "Region; empty: as the AWS SDK finds it." }),
        endpoint: address("Another endpoint, for private ones and tests."),
      }),
      gcpConfig: section("GCP Secret Manager.", {
        project: text({ default: "", about: "Project of the secrets." }),
        endpoint: address("Another endpoint, for private ones and tests."),
      }),
      azureConfig: section("Azure Key Vault.", {
        vaultURI: address("URI of the vault, such as https://NAME.vault.azure.net."),
      }),
      vaultConfig: section("HashiCorp Vault, read directly.", {
        address: address("URL of the server, such as https://vault.example.com:8200."),
        caFile: text({ default: "", about: "PEM file with the CA that signed its certificate; empty: the system's." }),
        namespace: text({ default: "", about: "Vault Enterprise namespace." }),
        mount: text({ default: "secret", about: "Mount of the KV engine." }),
        path: text({ default: "", about: "Path below the mount where the secrets are." }),
        kvVersion: choice(["1", "2"], { default: "2", about: "Version of the KV engine." }),
        auth: choice(["kubernetes", "token"], { default: "kubernetes", about: "How to log in." }),
        authMount: text({ default: "kubernetes", about: "Mount of the Kubernetes auth method." }),
        role: text({ default: "flyte", about: "Role to log in as with the Kubernetes auth method." }),
        tokenFile: text({
          default: "",
          about:
            "With `auth: token`, the file with the Vault token; with `kubernetes`, that with the service account's (empty: where Kubernetes puts it).",
        }),
      }),
      k8sConfig: section("Kubernetes Secrets.", {
        namespace: text({ default: "flyte", about: "Namespace of the managed Secrets." }),
        kubeClientConfig: section(
          "Its client; parts not set are those of `webhook.kubeClientConfig`.",
          kubeClient(100, 25),
        ),
      }),
      delivery: choice(["SecretRef", "Inline"], {
        default: "SecretRef",
        about: "`SecretRef` keeps values out of the pod spec; `Inline` writes them into it, as Flyte does.",
        effect: "now",
      }),
      fileMountInitContainer: section("The init container that writes files, with `delivery: Inline`.", {
        image: text({ default: "public.ecr.aws/docker/library/busybox:latest", about: "Its image." }),
        containerName: text({ default: "init-embedded-secret", about: "Its name." }),
        resources: resources("100m", "100Mi"),
      }),
      imagePullSecrets: section("Image-pull secrets.", {
        enabled: toggle({ default: false, about: "Copy them to the pod's namespace and add them to the pod." }),
      }),
    }),
    "metrics-prefix": text({ default: "flyte:", about: "Accepted, without effect, as in Flyte.", effect: "never" }),
    imageBuilderConfig: structure(z.unknown(), "a map", {
      default: null,
      about: "Accepted, without effect.",
      effect: "never",
    }),
  },
);
