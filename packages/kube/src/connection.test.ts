import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCertificate, createManualClock } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, test } from "vitest";
import { type ClusterConnectionOptions, loadClusterConnection } from "./connection.ts";

const clock = createManualClock();
const { cert, key } = await createCertificate();
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Writes files below a new directory and finds the connection from there. */
function find(
  files: Record<string, string | Buffer | object>,
  more: (directory: string) => Partial<ClusterConnectionOptions> = () => ({}),
) {
  const directory = createTemporaryDirectory();
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(join(path, ".."), { recursive: true });
    // JSON is YAML.
    writeFileSync(path, typeof content === "string" || content instanceof Buffer ? content : JSON.stringify(content));
  }
  const surroundings = {
    kubeconfig: "",
    env: {},
    home: directory,
    clock,
    serviceAccountDirectory: join(directory, "account"),
    ...more(directory),
  };
  return { directory, connection: () => loadClusterConnection(surroundings) };
}

/** A kubeconfig with one of each, all called `name`. */
const config = (name: string, parts: { cluster?: object; user?: object; context?: object } = {}) => ({
  "current-context": name,
  clusters: [{ name, cluster: { server: `https://${name}.example.com:6443`, ...parts.cluster } }],
  users: [{ name, user: parts.user ?? {} }],
  contexts: [{ name, context: { cluster: name, user: name, ...parts.context } }],
});

const ACCOUNT = {
  "account/token": "account-token\n",
  "account/ca.crt": "account-ca",
  "account/namespace": "task-ns\n",
};
const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };

test("the configured kubeconfig comes first, then the pod, then KUBECONFIG, then the home directory", () => {
  const files = { ...ACCOUNT, "a.yaml": config("a"), "b.yaml": config("b"), ".kube/config": config("home") };
  const host = (kubeconfig: string, env: Record<string, string>) =>
    find(files, (directory) => {
      const path = (name: string | undefined) => (name === undefined || name === "" ? "" : join(directory, name));
      return { kubeconfig: path(kubeconfig), env: { ...env, KUBECONFIG: path(env.KUBECONFIG) } };
    }).connection().server.hostname;
  expect(host("a.yaml", { ...IN_CLUSTER, KUBECONFIG: "b.yaml" })).toBe("a.example.com");
  expect(host("", { ...IN_CLUSTER, KUBECONFIG: "b.yaml" })).toBe("10.0.0.1");
  expect(host("", { KUBECONFIG: "b.yaml" })).toBe("b.example.com");
  expect(host("", {})).toBe("home.example.com");
});

test("a kubeconfig may be UTF-16 with a byte order mark, and nothing that is no text", () => {
  const found = (bytes: Buffer) => find({ ".kube/config": bytes }).connection();
  const text = JSON.stringify(config("a"));
  expect(found(Buffer.from(`\ufeff${text}`, "utf16le")).server.hostname).toBe("a.example.com");
  expect(() => found(Buffer.from(text, "utf16le"))).toThrow(
    /\.kube\/config: not text: expected UTF-8, or UTF-16 with a byte order mark\.$/,
  );
});

test("the pod's service account gives address, CA, namespace and a token that is read again", async () => {
  const { directory, connection } = find(ACCOUNT, () => ({
    env: { ...IN_CLUSTER, KUBERNETES_SERVICE_HOST: "fd00::1" },
  }));
  const { server, namespace, tls, credentials } = connection();
  expect({ origin: server.origin, namespace, tls }).toEqual({
    origin: "https://[fd00::1]",
    namespace: "task-ns",
    tls: { ca: "account-ca" },
  });
  const token = async () => (await credentials.current()).headers.authorization;
  expect(await token()).toBe("Bearer account-token");
  writeFileSync(join(directory, "account/token"), "rotated");
  expect(await token()).toBe("Bearer account-token");
  await clock.advance(60_000);
  expect(await token()).toBe("Bearer rotated");
  writeFileSync(join(directory, "account/token"), "again");
  expect(credentials.renew(await credentials.current())).toBe(true);
  expect(await token()).toBe("Bearer again");
  writeFileSync(join(directory, "account/token"), "");
  await clock.advance(60_000);
  expect(await token()).toBe("Bearer again");
});

test("the files of KUBECONFIG are merged: the first with an entry holds, and those that are not there are passed over", () => {
  const { directory, connection } = find(
    {
      "one/config": { "current-context": "x", users: [{ name: "u", user: { token: "one" } }] },
      "two/config": {
        "current-context": "y",
        clusters: [{ name: "c", cluster: { server: "https://two", "certificate-authority": "ca.pem" } }],
        users: [{ name: "u", user: { token: "two" } }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "n" } }],
      },
      "two/ca.pem": cert,
    },
    (directory) => ({
      env: {
        KUBECONFIG: [join(directory, "none"), join(directory, "one/config"), join(directory, "two/config")].join(":"),
      },
    }),
  );
  const { server, source, namespace, tls } = connection();
  expect({ origin: server.origin, source, namespace, tls }).toEqual({
    origin: "https://two",
    source: `context x of ${directory}/one/config, ${directory}/two/config`,
    namespace: "n",
    tls: { ca: Buffer.from(cert) },
  });
  return expect(connection().credentials.current()).resolves.toEqual({ headers: { authorization: "Bearer one" } });
});

const PLUGIN = { apiVersion: "client.authentication.k8s.io/v1", command: "no-such-plugin", interactiveMode: "Never" };

test.each([
  ["a token", { token: "t" }, { headers: { authorization: "Bearer t" } }],
  [
    "a token file, over a token",
    { token: "t", tokenFile: "token" },
    { headers: { authorization: "Bearer from-file" } },
  ],
  ["a name and password", { username: "u", password: "p" }, { headers: { authorization: `Basic ${base64("u:p")}` } }],
  [
    "a token, where its file is not there",
    { token: "t", tokenFile: "gone" },
    { headers: { authorization: "Bearer t" } },
  ],
  [
    "a certificate, with its key in a file",
    { "client-certificate-data": base64(cert), "client-key": "key.pem" },
    { headers: {}, cert: Buffer.from(cert), key: Buffer.from(key) },
  ],
  [
    "a certificate, over a plugin",
    { "client-certificate-data": base64(cert), "client-key-data": base64(key), exec: PLUGIN },
    { headers: {}, cert: Buffer.from(cert), key: Buffer.from(key) },
  ],
  [
    "somebody else in each detail",
    {
      token: "t",
      as: "\u03a9",
      "as-user-extra": { scopes: ["one", "two"], "example.com/Team (A)": ["x"], none: [], nil: null },
    },
    {
      headers: {
        authorization: "Bearer t",
        "impersonate-user": Buffer.from("\u03a9").toString("latin1"),
        "impersonate-extra-scopes": ["one", "two"],
        "impersonate-extra-example.com%2FTeam%20%28A%29": ["x"],
      },
    },
  ],
  [
    "somebody else whom it stands for",
    { token: "t", as: "system:serviceaccount:a:b", "as-groups": ["g", "h"], "as-uid": "1" },
    {
      headers: {
        authorization: "Bearer t",
        "impersonate-user": "system:serviceaccount:a:b",
        "impersonate-uid": "1",
        "impersonate-group": ["g", "h"],
      },
    },
  ],
  ["nobody", {}, { headers: {} }],
])("a user can be %s", async (_, user, identity) => {
  const files = { ".kube/config": config("a", { user }), ".kube/token": "from-file\n", ".kube/key.pem": key };
  expect(await find(files).connection().credentials.current()).toEqual(identity);
});

test("null is as good as absent, wherever it stands", async () => {
  const { connection } = find({
    ".kube/config": config("a", {
      cluster: {
        "certificate-authority": null,
        "insecure-skip-tls-verify": null,
        "tls-server-name": null,
        "proxy-url": null,
      },
      user: { token: "t", tokenFile: null, as: null, "as-groups": null, "as-user-extra": null, exec: null },
      context: { namespace: null },
    }),
  });
  const { namespace, tls, credentials } = connection();
  expect({ namespace, tls }).toEqual({ namespace: undefined, tls: {} });
  expect(await credentials.current()).toEqual({ headers: { authorization: "Bearer t" } });
});

test.each([
  ["localhost:6443", "http://localhost:6443/"],
  ["[::1]:6443", "http://[::1]:6443/"],
  ["HTTPS://api:6443/clusters/a", "https://api:6443/clusters/a"],
])("the server %s is %s", (server, href) => {
  expect(find({ ".kube/config": config("a", { cluster: { server } }) }).connection().server.href).toBe(href);
});

test("over plain HTTP no credentials are sent, but for whom they stand", async () => {
  const cluster = { server: "http://localhost:8001" };
  const identity = (user: object) =>
    find({ ".kube/config": config("a", { cluster, user }) })
      .connection()
      .credentials.current();
  expect(await identity({ token: "t", as: "b" })).toEqual({ headers: { "impersonate-user": "b" } });
  expect(await identity({ exec: PLUGIN })).toEqual({ headers: {} });
});

test("a cluster's CA, another name for its certificate, and no check at all", () => {
  const tls = (cluster: object) => find({ ".kube/config": config("a", { cluster }) }).connection().tls;
  expect(tls({ "certificate-authority-data": base64(cert), "tls-server-name": "api" })).toEqual({
    ca: Buffer.from(cert),
    servername: "api",
  });
  expect(tls({ "insecure-skip-tls-verify": true })).toEqual({ rejectUnauthorized: false });
  expect(tls({ "insecure-skip-tls-verify": false, "tls-server-name": "" })).toEqual({});
});

test.each([
  [
    "no cluster is known",
    {},
    /^No Kubernetes cluster is known: this is no pod of one, and there is no .*\.kube\/config/,
  ],
  ["there is no context", { ".kube/config": "" }, /there is no current context\. Set one: kubectl config use-context/],
  [
    "the context is not there",
    { ".kube/config": { "current-context": "a" } },
    /the current context "a" is not there\.$/,
  ],
  [
    "its cluster is not there",
    { ".kube/config": { ...config("a"), clusters: [] } },
    /context "a" names cluster "a", which is not there\.$/,
  ],
  [
    "its user is not there",
    { ".kube/config": { ...config("a"), users: null } },
    /context "a" names user "a", which is not there\.$/,
  ],
  ["an alias leads nowhere", { ".kube/config": "users: *gone\n" }, /config: an alias or a merge key leads nowhere\.$/],
  ["it is not YAML", { ".kube/config": 'users:\n- token: "canary-9\n' }, /config: line \d is not YAML \(\w+\)\.$/],
  [
    "a key has the wrong type",
    { ".kube/config": config("a", { user: { token: ["canary-9"] } }) },
    /config: users\.0\.user\.token: must be text\.$/,
  ],
  [
    "a file is not there",
    { ".kube/config": config("a", { cluster: { "certificate-authority": "ca.pem" } }) },
    /^context a of .*: .*\.kube\/ca\.pem is not there\.$/,
  ],
  [
    "groups stand for nobody",
    { ".kube/config": config("a", { user: { "as-groups": ["g"] } }) },
    /its user has as-uid, as-groups or as-user-extra without as\.$/,
  ],
  [
    "a server is no address",
    { ".kube/config": config("a", { cluster: { server: "localhost:6443/canary" } }) },
    /the cluster's server is neither an address nor a host and port\.$/,
  ],
  [
    "a certificate and its key do not fit",
    {
      ".kube/config": config("a", { user: { "client-certificate-data": base64(cert), "client-key-data": "Y2FuYXJ5" } }),
    },
    /its client-certificate and client-key are no certificate with its key in PEM\.$/,
  ],
  [
    "data is no base64",
    { ".kube/config": config("a", { cluster: { "certificate-authority-data": "canary-9" } }) },
    /its certificate-authority-data is not base64\.$/,
  ],
  [
    "a CA is none",
    { ".kube/config": config("a", { cluster: { "certificate-authority-data": base64("canary") } }) },
    /its certificate-authority is no certificate in PEM\.$/,
  ],
  [
    "an entry is there twice",
    { ".kube/config": { ...config("a"), users: [{ name: "a", user: { token: "canary" } }, { name: "a" }] } },
    /config: users has "a" twice\. Rename or remove one of them\.$/,
  ],
  [
    "it wants a proxy",
    { ".kube/config": config("a", { cluster: { "proxy-url": "http://p" } }) },
    /proxy-url is not supported/,
  ],
  [
    "it wants an old kind of plugin",
    { ".kube/config": config("a", { user: { "auth-provider": { name: "gcp" } } }) },
    /auth-provider is not supported/,
  ],
  [
    "its plugin wants a terminal",
    {
      ".kube/config": config("a", {
        user: { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "x", interactiveMode: "Always" } },
      }),
    },
    /its credential plugin wants a terminal \(interactiveMode Always\)\.$/,
  ],
] as const)("an error says what is wrong when %s, without quoting", (_, files, message) => {
  const { connection } = find(files);
  expect(connection).toThrow(
    expect.objectContaining({ code: "invalid_config", message: expect.stringMatching(message) }),
  );
  expect(connection).not.toThrow(/canary/);
});

test("a configured kubeconfig that is not there is an error that names the setting", () => {
  expect(find({ ".kube/config": config("a") }, () => ({ kubeconfig: "/none/config" })).connection).toThrow(
    "secret.kubernetes.kubeconfig: /none/config is not there.",
  );
});
