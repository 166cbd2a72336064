import { join } from "node:path";
import { expect, it } from "vitest";
import type { Config } from "../schema/config-schema.ts";
import { refusal, useConfigDirectory } from "../testing/config-directory.ts";

const { path, load, loadText } = useConfigDirectory();

const cluster = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

it("takes the Kubernetes store inside a cluster, with its defaults", () => {
  const { secret } = load({ env: cluster });
  expect([secret.store.type, secret.server.host, secret.webhookURL]).toEqual([
    "Kubernetes",
    "::",
    "http://localhost:9444",
  ]);
  expect(load({ env: cluster, flags: { "secret.store.type": "embedded" } }).secret.store.type).toBe("Embedded");
});

it("takes the Kubernetes store where a kubeconfig is named, and its values for the Embedded manager", () => {
  const { secret, webhook } = load({ flags: { "secret.kubernetes.kubeconfig": "~/kube" } });
  expect([secret.store.type, webhook.embeddedSecretManagerConfig.type]).toEqual(["Kubernetes", "K8s"]);
  expect(load({ env: { KUBECONFIG: "/home/me/kube" } }).secret.store.type).toBe("Embedded");
});

it("opens the webhook to this machine only where its secrets are, and to others in a cluster", () => {
  const ports = ({ webhook }: Config) => [webhook.host, webhook.cacheInvalidationPort];
  expect(ports(load())).toEqual(["127.0.0.1", 0]);
  expect(ports(load({ flags: { "webhook.host": "", "webhook.cacheInvalidationPort": "9444" } }))).toEqual(["", 9444]);
  expect(ports(load({ flags: { "webhook.embeddedSecretManagerConfig.type": "AWS" } }))).toEqual(["127.0.0.1", 9444]);
  expect(ports(load({ flags: { "secret.kubernetes.kubeconfig": "~/kube" } }))).toEqual(["", 9444]);
  expect(ports(load({ env: cluster }))).toEqual(["", 9444]);
  expect(ports(load({ env: cluster, flags: { "secret.store.type": "Embedded" } }))).toEqual(["", 0]);
});

it("takes IP addresses and ranges as peers of the cache invalidation", () => {
  const peers = (text: string) => load({ flags: { "webhook.cacheInvalidationPeers": text } }).webhook;
  expect(peers("10.0.0.0/8,fd00::1").cacheInvalidationPeers).toEqual(["10.0.0.0/8", "fd00::1"]);
  expect(refusal(() => peers("flyte-secret.flyte.svc"))).toContain(
    "webhook.cacheInvalidationPeers.0 must be a list of IP addresses and ranges such as 10.0.0.0/8",
  );
});

it("trusts the namespace in which Flyte makes pods, unless others are named", () => {
  const text = "actions: { port: 1, kubernetes: { namespace: tasks, qps: 1 } }";
  expect(loadText(text).webhook.scopeBinding.trustedNamespaces).toEqual(["tasks"]);
  const named = loadText(text, { flags: { "webhook.scopeBinding.trustedNamespaces": "a,b" } });
  expect(named.webhook.scopeBinding.trustedNamespaces).toEqual(["a", "b"]);
  expect(loadText(text).secret.imagePullNamespace).toBe("tasks");
  expect(loadText(text, { env: { POD_NAMESPACE: "own" } }).secret.imagePullNamespace).toBe("own");
});

it("takes relative paths from the working directory", () => {
  expect(load({ flags: { "secret.store.path": "data" } }).secret.store.path).toBe(join(path(), "data"));
});

it("expands variables in certDir and nowhere else", () => {
  const env = { D: "/certs" };
  const { webhook, secret } = load({
    env,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that is expanded
    flags: { "webhook.certDir": "$D/a/${D}${NONE}", "secret.store.path": "/$D" },
  });
  expect([webhook.certDir, secret.store.path]).toEqual(["/certs/a//certs", "/$D"]);
});

it("lets webhook.kubernetes.namespace set the namespaces that are not set", () => {
  const text = "webhook: { kubernetes: { namespace: guide } }";
  const config = loadText(text);
  expect(config.secret.kubernetes.namespace).toBe("guide");
  expect(config.webhook.embeddedSecretManagerConfig.k8sConfig.namespace).toBe("guide");
  const own = loadText(text, {
    flags: { "secret.kubernetes.namespace": "a", "webhook.embeddedSecretManagerConfig.k8sConfig.namespace": "b" },
  });
  expect(own.secret.kubernetes.namespace).toBe("a");
  expect(own.webhook.embeddedSecretManagerConfig.k8sConfig.namespace).toBe("b");
});

it("lets the Embedded manager's Kubernetes client fall back to the webhook's part by part", () => {
  const text =
    "webhook: { kubeClientConfig: { qps: 5, burst: 6 }, embeddedSecretManagerConfig: { k8sConfig: { kubeClientConfig: { qps: 7 } } } }";
  const { kubeClientConfig } = loadText(text).webhook.embeddedSecretManagerConfig.k8sConfig;
  expect(kubeClientConfig).toEqual({ qps: 7, burst: 6, timeout: 30_000 });
});

it("reads the AWS form of Flyte's guide", () => {
  const text = "secretsWebhook:\n  awsSecretManager: { enabled: true, region: us-east-1 }";
  const embedded = loadText(text).webhook.embeddedSecretManagerConfig;
  expect([embedded.type, embedded.awsConfig.region]).toEqual(["AWS", "us-east-1"]);
  expect(refusal(() => loadText(`${text}\n  embeddedSecretManagerConfig: { type: GCP }`))).toBe(
    "invalid_config: config.yaml:2: webhook.awsSecretManager.enabled: webhook.embeddedSecretManagerConfig.type says otherwise; keep one of them",
  );
});

it("reads the master key from its variable and shows it nowhere", () => {
  const key = Buffer.alloc(32, 7).toString("base64");
  const config = load({ env: { FLYTE_SECRETS_MASTER_KEY: `${key}` } });
  expect(config.secret.store.masterKey?.revealBytes()).toEqual(new Uint8Array(32).fill(7));
  expect(JSON.stringify(config)).not.toContain(key);
  const message =
    "invalid_config: environment variable FLYTE_SECRETS_MASTER_KEY must be 32 bytes in base64; `openssl rand -base64 32` makes such a key";
  for (const bad of ["short", Buffer.alloc(31).toString("base64"), `${key}!`]) {
    expect(refusal(() => load({ env: { FLYTE_SECRETS_MASTER_KEY: bad } }))).toBe(message);
  }
});

it("wants issuer and audience with mode oidc, and an issuer that can be trusted", () => {
  const text = "secret:\n  auth:\n    mode: oidc\n";
  expect(refusal(() => loadText(`${text}    oidc: { issuer: "https://id.example/" }`))).toBe(
    "invalid_config: config.yaml:3: secret.auth.mode: oidc needs secret.auth.oidc.audience beside it",
  );
  expect(refusal(() => loadText(`${text}    oidc: { issuer: "http://id.example/", audience: a }`))).toBe(
    "invalid_config: config.yaml:4: secret.auth.oidc.issuer must be an https URL (http on this machine only)",
  );
  const { auth } = loadText(`${text}    oidc: { issuer: "https://id.example/", audience: a }`).secret;
  expect([auth.mode, auth.oidc.issuer, auth.oidc.audience]).toEqual(["oidc", "https://id.example/", "a"]);
});

it("takes further clusters under names of their own, each with a file", () => {
  const load = (clusters: string) => loadText(`secret: { kubernetes: { otherClusters: ${clusters} } }`);
  expect(load("{ west: west.kubeconfig }").secret.kubernetes.otherClusters).toEqual({
    west: join(path(), "west.kubeconfig"),
  });
  expect(refusal(() => load("{ flyte-devbox: a }"))).toContain(
    "secret.kubernetes.otherClusters: flyte-devbox is this cluster (secret.kubernetes.clusterName); name others",
  );
  expect(refusal(() => load('{ west: "" }'))).toContain("west needs the path of a kubeconfig file");
});
