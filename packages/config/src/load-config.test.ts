import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { refusal, useConfigDirectory } from "./testing/config-directory.ts";

const { path, write, load, loadText } = useConfigDirectory();

describe("files", () => {
  it("may be UTF-16 with a byte order mark, and nothing that is no text", () => {
    const text = "secret: {organization: acme}";
    writeFileSync(join(path(), "16.yaml"), Buffer.from(`\ufeff${text}`, "utf16le"));
    expect(load({ files: ["16.yaml"] }).secret.organization).toBe("acme");
    writeFileSync(join(path(), "none.yaml"), Buffer.from(text, "utf16le"));
    expect(refusal(() => load({ files: ["none.yaml"] }))).toBe(
      "invalid_config: none.yaml: not text: expected UTF-8, or UTF-16 with a byte order mark",
    );
  });

  it("has the defaults when there are none", () => {
    const { secret, webhook, secrets, cache, logger } = load();
    expect(secret).toEqual({
      store: { type: "Embedded", path: "/home/me/.flyte-secrets" },
      organization: "flyte",
      imagePullNamespace: "flyte",
      server: {
        host: "127.0.0.1",
        port: 8093,
        probeBindAddress: "",
        metricsBindAddress: "",
        allowedHosts: [],
        limits: { bodyBytes: 64 * 1024 * 1024, connections: 4096, connectionsPerAddress: 1024, requests: 2048 },
        tls: { certFile: "", keyFile: "", secretName: "", selfMade: false },
      },
      auth: {
        mode: "token",
        tokenFile: "/home/me/.flyte-secrets/token",
        allowUnauthenticatedNetwork: false,
        oidc: {
          issuer: "",
          audience: "",
          clockSkew: 30_000,
          clientId: "",
          redirectUri: "http://localhost:53593/callback",
          scopes: [],
        },
      },
      webhookURL: "",
      kubernetes: {
        kubeconfig: "",
        namespace: "flyte",
        formerNamespace: "flyte",
        clusterName: "flyte-devbox",
        consistency: "eventual",
        otherClusters: {},
        qps: 100,
        burst: 200,
        timeout: 30_000,
      },
    });
    expect(webhook.scopeBinding).toMatchObject({
      mode: "enforce",
      namespaces: {},
      trustedNamespaces: ["flyte"],
      trustedCreators: [],
      namespaceTemplate: "{{ project }}-{{ domain }}",
    });
    expect(webhook.groupBinding).toEqual({});
    expect(webhook).toMatchObject({
      allowInlineToEverybody: false,
      clientCA: "",
      localCert: false,
      host: "127.0.0.1",
      embeddedSecretManagerConfig: { delivery: "SecretRef", imagePullSecrets: { enabled: false } },
    });
    expect(webhook).toMatchObject({ secretManagerType: "Embedded", secretEnvVarPrefix: "_UNION_", webhookTimeout: 10 });
    expect(secrets).toEqual({ type: "local", "secrets-prefix": "/etc/secrets", "env-prefix": "FLYTE_SECRET_" });
    expect(cache.inMemoryFixedSize).toMatchObject({ size: 100_000_000, defaultExpiration: 86_400_000 });
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
    symlinkSync("..data/001.yaml", join(path(), "mount/001.yaml"));
    expect(load({ files: [`${path()}/mount/*.yaml`] }).secret.server.port).toBe(5);
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

  it.each([
    "secret: *gone\n",
    "webhook:\n  <<: 1\n",
    "a: &a [1]\nwebhook: {<<: *a}\n",
  ])("refuses an alias or a merge key that leads nowhere: %j", (text) => {
    expect(refusal(() => loadText(text))).toBe(
      "invalid_config: config.yaml: not valid YAML: an alias or a merge key leads nowhere",
    );
  });

  it("takes an empty file for an empty one", () => {
    expect(loadText("# nothing\n")).toEqual(load());
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
  const files = [join(import.meta.dirname, "../testdata/flyte-config.d/*.yaml")];
  const env = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
  const config = load({ files, env });
  const untouched = load({ env });
  expect(config.logger).toEqual({ level: "debug", "show-source": true, mute: false, formatter: { type: "json" } });
  expect(config.cache.inMemoryFixedSize).toMatchObject({ size: 52_428_800, defaultExpiration: 43_200_000 });
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
      type: "K8s",
      k8sConfig: { namespace: "flyte", kubeClientConfig: { qps: 50, burst: 25, timeout: 30_000 } },
      fileMountInitContainer: { ...embedded.fileMountInitContainer, image: "docker.io/library/busybox:1.36" },
    },
    imageBuilderConfig: {
      enabled: false,
      hostnameReplacement: { existing: "a", replacement: "b", disableVerification: true },
    },
  });
});
