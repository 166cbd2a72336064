import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { listSettings } from "./list-settings.ts";
import { type ConfigSources, loadConfig } from "./load-config.ts";
import type { Config } from "./schema.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "flyte-secrets-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(cwd, file)), { recursive: true });
  writeFileSync(join(cwd, file), text);
}

function load(sources: Partial<ConfigSources> = {}): Config {
  return loadConfig({ files: [], env: {}, flags: {}, home: "/home/me", cwd, defaultFiles: [], ...sources });
}

function loadText(text: string, sources: Partial<ConfigSources> = {}): Config {
  write("config.yaml", text);
  return load({ files: ["config.yaml"], ...sources });
}

/** Code and message, or what was returned instead. */
function refusal(run: () => unknown): unknown {
  try {
    return { returned: run() };
  } catch (error) {
    return error instanceof SecretsError ? `${error.code}: ${error.message}` : error;
  }
}

describe("files", () => {
  it("has the defaults of page 7 when there are none", () => {
    const { secret, webhook, secrets, cache, logger } = load();
    expect(secret).toEqual({
      store: { type: "Embedded", path: "/home/me/.flyte-secrets" },
      organization: "flyte",
      imagePullNamespace: "",
      server: { host: "127.0.0.1", port: 8093, tls: { certFile: "", keyFile: "" } },
      auth: { mode: "token", tokenFile: "/home/me/.flyte-secrets/token", allowUnauthenticatedNetwork: false },
      webhookURL: "",
      kubernetes: {
        kubeconfig: "",
        namespace: "flyte",
        clusterName: "flyte-devbox",
        qps: 100,
        burst: 200,
        timeout: 30_000,
      },
    });
    expect(webhook).toMatchObject({ secretManagerType: "Embedded", secretEnvVarPrefix: "_UNION_", webhookTimeout: 30 });
    expect(secrets).toEqual({ type: "local", "secrets-prefix": "/etc/secrets", "env-prefix": "FLYTE_SECRET_" });
    expect(cache.inMemoryFixedSize).toEqual({ size: 100_000_000, defaultExpiration: 86_400_000 });
    expect(logger).toEqual({ level: "warn", "show-source": false, mute: false, formatter: { type: "auto" } });
  });

  it("merges the matches of a glob in name order and repeated --config in theirs, later ones winning key by key", () => {
    write("config.d/b.yaml", "secret: { server: { port: 2 } }");
    write("config.d/a.yaml", "secret: { server: { port: 1, host: a } }");
    write("last.yaml", "secret: { organization: acme }");
    const { secret } = load({ files: ["config.d/*.yaml", "last.yaml"] });
    expect([secret.server.port, secret.server.host, secret.organization]).toEqual([2, "a", "acme"]);
  });

  it("reads the links that Kubernetes makes of a mounted ConfigMap", () => {
    write("mount/..data/001.yaml", "secret: { server: { port: 5 } }");
    symlinkSync("..data/001.yaml", join(cwd, "mount/001.yaml"));
    expect(load({ files: [`${cwd}/mount/*.yaml`] }).secret.server.port).toBe(5);
  });

  it("takes a path with glob characters for itself when there is such a file", () => {
    write("[x].yaml", "secret: { server: { port: 6 } }");
    expect(load({ files: ["[x].yaml"] }).secret.server.port).toBe(6);
  });

  it("reads the default files that exist when none is named", () => {
    write("config.yaml", "secret: { server: { port: 1 }, organization: here }");
    write("etc.yaml", "secret: { server: { port: 2 } }");
    const { secret } = load({ defaultFiles: ["config.yaml", "missing.yaml", "etc.yaml"] });
    expect([secret.server.port, secret.organization]).toEqual([2, "here"]);
  });

  test.each([
    [
      "nothing.yaml",
      "invalid_config: --config nothing.yaml: no file matches; name a file or a glob such as DIR/*.yaml",
    ],
    ["none/*.yaml", "invalid_config: --config none/*.yaml: no file matches; name a file or a glob such as DIR/*.yaml"],
    [".", "invalid_config: .: is a directory; name a file or a glob such as DIR/*.yaml"],
  ])("refuses --config %s", (file, message) => {
    expect(refusal(() => load({ files: [file] }))).toBe(message);
  });

  it("says the line of what is not YAML, and does not quote it", () => {
    expect(refusal(() => loadText("secret:\n  server: {\n"))).toMatch(
      /^invalid_config: config\.yaml:\d: not valid YAML \([A-Z_]+\)$/,
    );
    expect(refusal(() => loadText("admin:\n  password: 'canary\n"))).toMatch(
      /^invalid_config: config\.yaml:\d: not valid YAML \([A-Z_]+\)$/,
    );
  });

  it("takes an empty file for an empty one", () => {
    expect(loadText("# nothing\n")).toEqual(load());
  });
});

describe("keys", () => {
  it("matches sections, keys and names of enums without regard to case", () => {
    const { secret, webhook } = loadText(
      "SECRET: { Server: { PORT: 9 }, STORE: { type: embedded } }\nWebhook: { SECRETMANAGERTYPES: [k8S, embedded], secretenvvarnaming: POSIX }",
    );
    expect([secret.server.port, secret.store.type]).toEqual([9, "Embedded"]);
    expect([webhook.secretManagerTypes, webhook.secretEnvVarNaming]).toEqual([["K8s", "Embedded"], "posix"]);
  });

  it.each(["flyte-pod-webhook", "secretsWebhook", "webhook"])("reads %s as the webhook's section", (name) => {
    expect(loadText(`${name}: { listenPort: 1234 }`).webhook.listenPort).toBe(1234);
  });

  it("reads a list of one-key maps as a map, for sections and for maps of texts", () => {
    const { secret, webhook } = loadText(
      "secret:\n  - server:\n      - port: 7\n      - host: h\nwebhook:\n  vaultSecretManager: { annotations: [{ a/b: c }, { d: 1 }] }",
    );
    expect(secret.server).toMatchObject({ port: 7, host: "h" });
    expect(webhook.vaultSecretManager.annotations).toEqual({ "a/b": "c", d: "1" });
  });

  it("follows anchors and merge keys", () => {
    const { secret } = loadText("anchors: &server { port: 8 }\nsecret:\n  server:\n    <<: *server\n    host: h");
    expect(secret.server).toMatchObject({ port: 8, host: "h" });
  });

  it("ignores other sections, further keys of executor, and keys without a value", () => {
    const config = loadText(
      "admin: { endpoint: x }\nplugins: [1, 2]\nexecutor: { healthProbeBindAddress: ':1', evaluatorCount: 3 }\nsecret: { server: { port: , host: ~ } }",
    );
    expect(config.executor.healthProbeBindAddress).toBe(":1");
    expect(config.secret.server).toEqual(load().secret.server);
  });

  test.each([
    [
      "secret:\n  server:\n    prot: 1",
      "config.yaml:3: unknown key secret.server.prot; did you mean secret.server.port?",
    ],
    [
      "secret:\n  # a comment\n  sever:\n    port: 1",
      "config.yaml:3: unknown key secret.sever; did you mean secret.server?",
    ],
    ["secret:\n  port: 1", "config.yaml:2: unknown key secret.port; did you mean secret.server.port?"],
    [
      "webhook: { secretEnvVarPrefx: X }",
      "config.yaml:1: unknown key webhook.secretEnvVarPrefx; did you mean webhook.secretEnvVarPrefix?",
    ],
    [
      "secret:\n- server:\n  - x: 1",
      "config.yaml:3: unknown key secret.server.x; the keys of secret.server are host, port, tls",
    ],
    [
      "logger: { constructor: 1 }",
      "config.yaml:1: unknown key logger.constructor; the keys of logger are level, show-source, mute, formatter",
    ],
    ["secret: 5", "config.yaml:1: secret must be a map"],
    ["secret:\n  - 5", "config.yaml:1: secret must be a map"],
    ["- 5", "config.yaml:1: the document must be a map"],
  ])("refuses %j", (text, message) => {
    expect(refusal(() => loadText(text))).toBe(`invalid_config: ${message}`);
  });
});

describe("values", () => {
  test.each([
    ["secret: { server: { port: '8100' } }", "server.port", 8100],
    ["secret: { kubernetes: { timeout: 1m30s } }", "kubernetes.timeout", 90_000],
    ["secret: { kubernetes: { clusterName: 12 } }", "kubernetes.clusterName", "12"],
    ["secret: { store: { path: ~/data } }", "store.path", "/home/me/data"],
    ["secret: { kubernetes: { kubeconfig: ~/kube } }", "kubernetes.kubeconfig", "/home/me/kube"],
    ["secret: { auth: { tokenFile: /t } }", "auth.tokenFile", "/t"],
    ["secret: { auth: { allowUnauthenticatedNetwork: 'True' } }", "auth.allowUnauthenticatedNetwork", true],
    ["secret: { server: { host: 0.0.0.0 } }", "server.host", "0.0.0.0"],
    ["secret: { webhookURL: 'http://w:1' }", "webhookURL", "http://w:1"],
    ["secret: { webhookURL: webhook }", "webhookURL", "webhook"],
  ])("reads %s", (text, path, value) => {
    expect(loadText(text)).toHaveProperty(`secret.${path}`, value);
  });

  test.each([
    ["logger: { level: 5 }", "debug"],
    ["logger: { level: '4' }", "info"],
    ["logger: { level: 3 }", "warn"],
    ["logger: { level: 2 }", "error"],
    ["logger: { level: 1 }", "fatal"],
    ["logger: { level: 0 }", "panic"],
    ["logger: { level: Debug }", "debug"],
  ])("reads %s as the level %s", (text, level) => {
    expect(loadText(text).logger.level).toBe(level);
  });

  test.each([["1"], ["'2'"], ["2"]])("reads kvVersion %s, quoted or not", (version) => {
    const { vaultSecretManager } = loadText(`webhook: { vaultSecretManager: { kvVersion: ${version} } }`).webhook;
    expect(vaultSecretManager.kvVersion).toBe(version.replaceAll("'", ""));
  });

  it("reads a namespace selector and resources as Kubernetes writes them", () => {
    const { webhook } = loadText(
      "webhook:\n  namespaceSelector: { matchLabels: { a: b } }\n  gcpSecretManager: { resources: { limits: { cpu: 1 } } }",
    );
    expect(webhook.namespaceSelector).toEqual({ matchLabels: { a: "b" } });
    expect(webhook.gcpSecretManager.resources).toEqual({
      requests: { cpu: "200m", memory: "500Mi", "ephemeral-storage": "" },
      limits: { cpu: "1", memory: "500Mi", "ephemeral-storage": "" },
    });
  });

  test.each([
    ["secret: { server: { port: 70000 } }", "secret.server.port must be an integer from 0 to 65535"],
    ["secret: { server: { port: http } }", "secret.server.port must be an integer from 0 to 65535"],
    ["secret: { server: { port: 1.5 } }", "secret.server.port must be an integer from 0 to 65535"],
    ["secret: { server: { port: [1] } }", "secret.server.port must be an integer from 0 to 65535"],
    ["secret: { server: { host: { a: b } } }", "secret.server.host must be a host name or an IP address"],
    ["secret: { server: { host: '' } }", "secret.server.host must be a host name or an IP address"],
    [
      "secret: { organization: Acme Inc }",
      "secret.organization must be a DNS label: 1 to 63 lower-case letters, digits and `-`, not `-` first or last",
    ],
    [
      "secret: { webhookURL: 'http://w:99999' }",
      "secret.webhookURL must be an address such as http://flyte-pod-webhook:9444, or empty",
    ],
    ["secret: { store: { type: SQLite } }", "secret.store.type must be one of auto, Embedded, Kubernetes"],
    ["secret: { store: { type: constructor } }", "secret.store.type must be one of auto, Embedded, Kubernetes"],
    [
      "secret: { auth: { allowUnauthenticatedNetwork: yes } }",
      "secret.auth.allowUnauthenticatedNetwork must be true or false",
    ],
    ["secret: { kubernetes: { timeout: 30 } }", "secret.kubernetes.timeout must be a duration such as 30s or 1m30s"],
    ["secret: { kubernetes: { timeout: -1s } }", "secret.kubernetes.timeout must be a duration such as 30s or 1m30s"],
    ["secret: { kubernetes: { qps: 0 } }", "secret.kubernetes.qps must be an integer of 1 or more"],
    ["webhook: { webhookTimeout: 31 }", "webhook.webhookTimeout must be an integer from 1 to 30"],
    [
      "webhook: { secretManagerTypes: [AWS, Foo] }",
      "webhook.secretManagerTypes.1 must be a list of Global, K8s, AWS, GCP, Azure, Vault, Embedded",
    ],
    [
      "webhook: { secretEnvVarPrefix: '' }",
      "webhook.secretEnvVarPrefix must be text of at least one character; flytekit reads an empty FLYTE_SECRETS_ENV_PREFIX as _FSEC_: write `_FSEC_` or leave the key out",
    ],
    ["webhook: { vaultSecretManager: { kvVersion: 3 } }", "webhook.vaultSecretManager.kvVersion must be one of 1, 2"],
    [
      "webhook: { vaultSecretManager: { annotations: [1] } }",
      "webhook.vaultSecretManager.annotations must be a map of texts",
    ],
    [
      "webhook: { awsSecretManager: { resources: { limits: { cpu: lots } } } }",
      "webhook.awsSecretManager.resources.limits.cpu must be a quantity such as 500Mi or 200m",
    ],
    [
      "webhook: { scopeBinding: { trustedNamespaces: { a: b } } }",
      "webhook.scopeBinding.trustedNamespaces must be a list of texts",
    ],
    ["cache: { inMemoryFixedSize: { size: big } }", "cache.inMemoryFixedSize.size must be a size such as 100M or 64Mi"],
    [
      "cache: { type: Redis }",
      "cache.type cannot be Redis: values must not leave the process; write `InMemoryFixedSize`",
    ],
    [
      "otel: { type: Jaeger }",
      "otel.type cannot be jaeger, whose own protocol is retired; Jaeger takes OTLP: write `otlphttp` and set otel.otlphttp.endpoint to http://HOST:4318/v1/traces",
    ],
    ["otel: { sampler: { traceIdRatio: 2 } }", "otel.sampler.traceIdRatio must be a number from 0 to 1"],
    [
      "secret: { server: { tls: { certFile: a.pem } } }",
      "secret.server.tls.certFile: needs secret.server.tls.keyFile beside it",
    ],
  ])("refuses %s with the line, the key and the rule", (text, message) => {
    const separator = message.includes(": needs") ? ": " : ": ";
    expect(refusal(() => loadText(text))).toBe(`invalid_config: config.yaml:1${separator}${message}`);
  });
});

describe("environment and flags", () => {
  it("reads both spellings, the dotted one first, above the files; flags above all", () => {
    const file = "secret: { server: { port: 1 } }";
    const ours = { SECRET_SERVER_PORT: "2" };
    const both = { ...ours, "SECRET.SERVER.PORT": "3" };
    expect(loadText(file).secret.server.port).toBe(1);
    expect(loadText(file, { env: ours }).secret.server.port).toBe(2);
    expect(loadText(file, { env: both }).secret.server.port).toBe(3);
    expect(loadText(file, { env: both, flags: { "--Secret.Server.Port": "4" } }).secret.server.port).toBe(4);
  });

  it("writes dashes as underscores, and reads lists, maps and aliases", () => {
    const config = load({
      env: {
        "SECRETS.ENV_PREFIX": "A_",
        LOGGER_SHOW_SOURCE: "true",
        WEBHOOK_SECRETMANAGERTYPES: "K8s, aws",
        WEBHOOK_VAULTSECRETMANAGER_ANNOTATIONS: '{"a":"b"}',
        "FLYTE_POD_WEBHOOK.LISTENPORT": "1",
        "WEBHOOK.SCOPEBINDING.TRUSTEDCREATORS": "[x, 'group:y']",
      },
    });
    expect(config.secrets["env-prefix"]).toBe("A_");
    expect(config.logger["show-source"]).toBe(true);
    expect(config.webhook.secretManagerTypes).toEqual(["K8s", "AWS"]);
    expect(config.webhook.vaultSecretManager.annotations).toEqual({ a: "b" });
    expect(config.webhook.listenPort).toBe(1);
    expect(config.webhook.scopeBinding.trustedCreators).toEqual(["x", "group:y"]);
  });

  it("takes an empty variable for none", () => {
    expect(load({ env: { SECRET_SERVER_PORT: "" } }).secret.server.port).toBe(8093);
  });

  it("names the variable or flag in an error", () => {
    expect(refusal(() => load({ env: { SECRET_SERVER_PORT: "tcp://10.0.0.1:80" } }))).toBe(
      "invalid_config: environment variable SECRET_SERVER_PORT: secret.server.port must be an integer from 0 to 65535",
    );
    expect(refusal(() => load({ flags: { "webhook.listenPort": "x" } }))).toBe(
      "invalid_config: flag --webhook.listenPort: webhook.listenPort must be an integer from 0 to 65535",
    );
    expect(refusal(() => load({ flags: { "secret.server.prt": "1" } }))).toBe(
      "invalid_config: flag --secret.server.prt: unknown key secret.server.prt; did you mean secret.server.port?",
    );
    expect(refusal(() => load({ flags: { "secrt.server": "1" } }))).toBe(
      "invalid_config: flag --secrt.server: unknown key secrt; did you mean secret?",
    );
    expect(refusal(() => load({ flags: { "secret.server": "1" } }))).toBe(
      "invalid_config: flag --secret.server: secret.server is a section; its keys are host, port, tls",
    );
  });

  it("has no variable that two settings share", () => {
    const variables = listSettings().flatMap((setting) => setting.variables);
    expect(variables.length).toBe(new Set(variables).size);
  });
});

describe("what depends on the machine", () => {
  const cluster = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

  it("takes the Kubernetes store inside a cluster, with its defaults", () => {
    const { secret } = load({ env: cluster });
    expect([secret.store.type, secret.server.host, secret.webhookURL]).toEqual([
      "Kubernetes",
      "0.0.0.0",
      "http://localhost:9444",
    ]);
    expect(load({ env: cluster, flags: { "secret.store.type": "embedded" } }).secret.store.type).toBe("Embedded");
  });

  it("takes relative paths from the working directory", () => {
    expect(load({ flags: { "secret.store.path": "data" } }).secret.store.path).toBe(join(cwd, "data"));
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
});

it("ends with the last assignment of every key, whichever layers assign it", () => {
  const keys = fc.subarray(["server.port", "kubernetes.qps", "kubernetes.burst"] as const);
  const layer = fc.tuple(keys, fc.integer({ min: 1, max: 65535 }));
  fc.assert(
    fc.property(fc.array(layer, { maxLength: 4 }), layer, layer, (files, env, flags) => {
      for (const [index, [paths, value]] of files.entries()) {
        const lines = paths.map((path) => `  ${path.replace(".", ":\n    - ")}: ${value}`).join("\n");
        write(`${index}.yaml`, `secret:\n${mergeSections(lines)}`);
      }
      const named = (paths: readonly string[], value: number, name: (path: string) => string) =>
        Object.fromEntries(paths.map((path) => [name(`secret.${path}`), String(value)]));
      const { secret } = load({
        files: files.map((_, index) => `${index}.yaml`),
        env: named(env[0], env[1], (path) => path.toUpperCase()),
        flags: named(flags[0], flags[1], (path) => path),
      });
      const last = (path: string, otherwise: number) =>
        [...files, env, flags].findLast(([paths]) => (paths as readonly string[]).includes(path))?.[1] ?? otherwise;
      expect([secret.server.port, secret.kubernetes.qps, secret.kubernetes.burst]).toEqual([
        last("server.port", 8093),
        last("kubernetes.qps", 100),
        last("kubernetes.burst", 200),
      ]);
    }),
    { numRuns: 50 },
  );
});

/** Two entries of one section written one after the other become one section. */
function mergeSections(lines: string): string {
  return lines.replace(/( {2}kubernetes:\n.*)\n {2}kubernetes:/, "$1");
}

it("reads the configuration of a Flyte installation as it is", () => {
  const files = [join(import.meta.dirname, "../../testdata/flyte-config.d/*.yaml")];
  const config = load({ files, env: { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" } });
  const untouched = load();
  expect(config.logger).toEqual({ level: "debug", "show-source": true, mute: false, formatter: { type: "json" } });
  expect(config.cache.inMemoryFixedSize).toEqual({ size: 52_428_800, defaultExpiration: 43_200_000 });
  expect(config.executor).toEqual({
    healthProbeBindAddress: ":8083",
    metricsBindAddress: ":10255",
    metricsSecure: false,
  });
  expect(config.secret).toMatchObject({
    store: { type: "Kubernetes" },
    server: { host: "0.0.0.0", port: 8093 },
    kubernetes: { clusterName: "flyte-binary" },
  });
  expect(config.otel).toMatchObject({ type: "otlpgrpc", sampler: { parentSampler: "traceid", traceIdRatio: 0.5 } });
  const { embeddedSecretManagerConfig: embedded } = untouched.webhook;
  expect(config.webhook).toEqual({
    ...untouched.webhook,
    localCert: true,
    secretName: "flyte-binary-webhook-secret",
    serviceName: "flyte-binary-webhook",
    secretManagerTypes: ["Embedded", "K8s"],
    secretEnvVarPrefix: "_FSEC_",
    namespaceSelector: {
      matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] }],
    },
    vaultSecretManager: {
      role: "flyte",
      kvVersion: "1",
      annotations: { "vault.hashicorp.com/namespace": "tenants", "vault.hashicorp.com/agent-limits-cpu": "250m" },
    },
    embeddedSecretManagerConfig: {
      ...embedded,
      k8sConfig: { namespace: "flyte", kubeClientConfig: { qps: 50, burst: 25, timeout: 30_000 } },
      fileMountInitContainer: { ...embedded.fileMountInitContainer, image: "docker.io/library/busybox:1.36" },
    },
    imageBuilderConfig: {
      enabled: false,
      hostnameReplacement: { existing: "a", replacement: "b", disableVerification: true },
    },
  });
});
