import { choice, duration, integer, quantity, section, text, textMap, texts, toggle } from "./setting.ts";

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

/** The settings of a client of the API server. */
export const kubeClient = (qps: number, burst: number) => ({
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

/** How init containers of ours are put into pods, whichever manager or delivery asks for one. */
export const initContainersSection = section("The init containers that are put into pods.", {
  first: toggle({
    default: false,
    about: "Put them before the pod's own init containers, which then find the files; Flyte puts them behind.",
    effect: "now",
  }),
  security: choice(["auto", "restricted", "none"], {
    default: "auto",
    about:
      "Give them a security context that the restricted Pod Security Standard takes: `auto` in pods that meet the standard, `restricted` in all.",
    effect: "now",
  }),
  runAsUser: integer({
    default: 65_532,
    min: 0,
    about: "User that they then run as where pod and containers name none; 0: none is set, as OpenShift wants it.",
    effect: "now",
  }),
});

/** What each secret manager is told, by the key of `webhook` that tells it. */
export const secretManagerSections = {
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
        "Where values come from; `Store` is this project's own, and the default beside it. `flyte-secrets run` reads there too.",
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
    escapeInlineVariables: toggle({
      default: false,
      about:
        "With `delivery: Inline`, double each `$` in variables, so that Kubernetes doesn't take `$$` or `$(NAME)` of a value for its own; Flyte doesn't.",
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
};
