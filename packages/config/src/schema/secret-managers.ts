import { choice, duration, integer, quantity, section, text, textMap, texts, toggle } from "./setting.ts";

const resources = (cpu: string, memory: string) => {
  const list = (about: string) =>
    section(about, {
      cpu: quantity({ default: cpu, about: "CPU." }),
      memory: quantity({ default: memory, about: "Memory." }),
      "ephemeral-storage": quantity({ default: "", about: "Local disk. Empty: not set." }),
    });
  return section("Resources of the init container.", { requests: list("Requests."), limits: list("Limits.") });
};

const sidecar = (image: string) => ({
  sidecarImage: text({ default: image, about: "Image of the init container that reads the secret." }),
  resources: resources("200m", "500Mi"),
});

/** The settings of a client of the API server. */
export const kubeClient = (qps: number, burst: number) => ({
  qps: integer({ default: qps, min: 1, about: "Requests per second to the API server." }),
  burst: integer({
    default: burst,
    min: 1,
    about: "Number of requests that may be sent at once, regardless of `qps`.",
  }),
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
export const initContainersSection = section("The init containers that are added to pods.", {
  first: toggle({
    default: false,
    about: "Add them before the pod's own init containers, so that these find the files. Flyte adds them last.",
    effect: "now",
  }),
  security: choice(["auto", "restricted", "none"], {
    default: "auto",
    about:
      "Whether they have a security context for the restricted Pod Security Standard: `auto` in pods that meet the " +
      "standard, `restricted` in all, `none` in no pod.",
    effect: "now",
  }),
  runAsUser: integer({
    default: 65_532,
    min: 0,
    about:
      "User id for that security context if neither pod nor containers set one; 0: not set, as OpenShift requires.",
    effect: "now",
  }),
});

/** What each secret manager is told, by the key of `webhook` that tells it. */
export const secretManagerSections = {
  k8sSecretManager: section("The K8s manager.", {
    optional: toggle({
      default: true,
      about: "Whether a pod starts without a Secret or key that it requests and that does not exist, as in Flyte.",
    }),
    protectedSecrets: texts({
      default: ["flyte-secrets-*"],
      about:
        "Names of the installation's Secrets, besides `webhook.secretName`, that no pod may request in the " +
        "namespaces of webhook, values and Flyte. A name may end with `*`.",
    }),
  }),
  awsSecretManager: section("The AWS manager.", {
    ...sidecar("docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4"),
    enabled: toggle({
      default: false,
      about: "Flyte's guide has this key; same as `embeddedSecretManagerConfig.type: AWS`.",
    }),
    region: text({
      default: "",
      about: "Flyte's guide has this key; same as `embeddedSecretManagerConfig.awsConfig.region`.",
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
        "Where values come from. `Store` is the Embedded store of this project, and the default with it. " +
        "`flyte-secrets run` reads from there too.",
    }),
    awsConfig: section("AWS Secrets Manager.", {
      region: text({ default: "", about: "Region. Empty: that of the AWS SDK." }),
      endpoint: address("Endpoint, if it is not the public one."),
    }),
    gcpConfig: section("GCP Secret Manager.", {
      project: text({ default: "", about: "Project of the secrets." }),
      endpoint: address("Endpoint, if it is not the public one."),
    }),
    azureConfig: section("Azure Key Vault.", {
      vaultURI: address("URI of the vault, such as https://NAME.vault.azure.net."),
    }),
    vaultConfig: section("HashiCorp Vault, read directly.", {
      address: address("URL of the server, such as https://vault.example.com:8200."),
      caFile: text({ default: "", about: "PEM file with the CA of its certificate. Empty: the CAs of the system." }),
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
          "File with the Vault token (`auth: token`) or with the service account's token (`auth: kubernetes`; " +
          "empty: Kubernetes' default path).",
      }),
    }),
    k8sConfig: section("Kubernetes Secrets.", {
      namespace: text({ default: "flyte", about: "Namespace of the managed Secrets." }),
      kubeClientConfig: section("Its client. Default of each key: `webhook.kubeClientConfig`.", kubeClient(100, 25)),
    }),
    delivery: choice(["SecretRef", "Inline"], {
      default: "SecretRef",
      about: "`SecretRef` keeps values out of the pod spec; `Inline` writes them into it, as Flyte does.",
      effect: "now",
    }),
    escapeInlineVariables: toggle({
      default: false,
      about:
        "With `delivery: Inline`: double each `$` in variables, so that Kubernetes does not expand `$$` and " +
        "`$(NAME)` in values. Flyte does not.",
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
