/** What the kubeconfigs of the table can name. */
export interface KubeconfigSite {
  readonly directory: string;
  /** The address of a server with this certificate, and that of one that speaks plain HTTP. */
  readonly secure: string;
  readonly plain: string;
  readonly plainPort: number;
  readonly serving: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
  readonly pluginCertificate: { readonly cert: string; readonly key: string };
}

export interface KubeconfigCase {
  readonly title: string;
  /** Below the site's directory: text, bytes, or what is written as JSON. What ends in `.sh` may be run. */
  readonly files: (site: KubeconfigSite) => Record<string, string | object>;
  /** Names of files, with `:` between them; `config` when absent. */
  readonly paths?: string;
  /** Where kubectl asks the server and we refuse on purpose: what we say. */
  readonly onlyWeRefuse?: RegExp;
  /** Where kubectl refuses and we ask the server on purpose: what kubectl says. */
  readonly onlyWeAsk?: RegExp;
}

interface Parts {
  readonly cluster?: object | undefined;
  readonly user?: object | null;
  readonly context?: object;
  readonly top?: object;
}

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A kubeconfig whose one context leads to the server that speaks TLS. */
function config({ secure, serving }: KubeconfigSite, { cluster, user = { token: "t" }, context, top }: Parts): object {
  const ca = { "certificate-authority-data": base64(serving.cert) };
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "x",
    clusters: [{ name: "c", cluster: { server: secure, ...ca, ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", ...context } }],
    ...top,
  };
}

/** kubectl asks for a name and a password, and finds nobody to answer; we go as nobody. */
const ANONYMOUS = { onlyWeAsk: /EOF/ };

/** A case that differs from the plain one in these parts. */
function simple(title: string, parts: Parts | ((site: KubeconfigSite) => Parts), more: Partial<KubeconfigCase> = {}) {
  const files = (site: KubeconfigSite) => ({ config: config(site, typeof parts === "function" ? parts(site) : parts) });
  return { title, files, ...more };
}

const V1 = "client.authentication.k8s.io/v1";
const V1BETA1 = "client.authentication.k8s.io/v1beta1";

/** A plugin that prints this credential, after it has noted what it was told and what its standard input holds. */
function plugin(
  title: string,
  exec: object,
  {
    user,
    cluster,
    status,
    apiVersion = V1,
    script = "",
  }: {
    user?: object;
    cluster?: object;
    status?: object | ((site: KubeconfigSite) => object);
    apiVersion?: string;
    script?: string;
  } = {},
): KubeconfigCase {
  const defaults = { apiVersion, command: "./plugin.sh", interactiveMode: "Never" };
  return {
    title,
    files: (site) => {
      const given = typeof status === "function" ? status(site) : (status ?? { token: "from-plugin" });
      const credential = JSON.stringify({ apiVersion, kind: "ExecCredential", status: given });
      return {
        config: config(site, { user: { exec: { ...defaults, ...exec }, ...user }, cluster }),
        "plugin.sh":
          `#!/bin/sh\n${script}\ninput=$(cat | wc -c)\n` +
          `printf '{"info":%s,"input":%s,"args":"%s","own":"%s"}' "$KUBERNETES_EXEC_INFO" "$input" "$*" "$OWN" > "${site.directory}/told"\n` +
          `cat <<'END'\n${credential}\nEND\n`,
      };
    },
  };
}

export const KUBECONFIG_CASES: readonly KubeconfigCase[] = [
  // Who asks.
  simple("nobody", { user: {} }, ANONYMOUS),
  simple("a user that is null", { user: null }, ANONYMOUS),
  simple("a token", { user: { token: "t" } }),
  simple(
    "a token and a file of one",
    { user: { token: "t", tokenFile: "token" } },
    {
      files: (site) => ({ config: config(site, { user: { token: "t", tokenFile: "token" } }), token: "from-file\n" }),
    },
  ),
  simple("a token and a file that is not there", { user: { token: "t", tokenFile: "gone" } }),
  simple("a file of a token that is not there", { user: { tokenFile: "gone" } }),
  simple("a name and a password", { user: { username: "n", password: "p" } }),
  simple("a name without a password", { user: { username: "n" } }),
  simple("a password without a name", { user: { password: "p" } }, ANONYMOUS),
  simple("a token and a name", { user: { token: "t", username: "n", password: "p" } }),
  simple("a token and a password", { user: { token: "t", password: "p" } }),
  simple("a certificate", ({ client }) => ({
    user: { "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) },
  })),
  simple(
    "a certificate in files",
    {},
    {
      files: (site) => ({
        config: config(site, { user: { "client-certificate": "c.pem", "client-key": "k.pem" } }),
        "c.pem": site.client.cert,
        "k.pem": site.client.key,
      }),
    },
  ),
  simple(
    "a certificate, and a file of one that is there",
    {},
    {
      files: (site) => ({
        config: config(site, {
          user: {
            "client-certificate-data": base64(site.client.cert),
            "client-certificate": "c.pem",
            "client-key-data": base64(site.client.key),
          },
        }),
        "c.pem": site.client.cert,
      }),
    },
  ),
  simple("a certificate and a token", ({ client }) => ({
    user: { token: "t", "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) },
  })),
  simple("a certificate without its key", ({ client }) => ({
    user: { "client-certificate-data": base64(client.cert) },
  })),
  simple("a key without a certificate", ({ client }) => ({
    user: { token: "t", "client-key-data": base64(client.key) },
  })),
  simple("a certificate and another one's key", ({ client, pluginCertificate }) => ({
    user: { "client-certificate-data": base64(client.cert), "client-key-data": base64(pluginCertificate.key) },
  })),
  simple("a certificate that is no base64", { user: { "client-certificate-data": "%%%", "client-key-data": "%%%" } }),
  simple("a certificate that is no PEM", { user: { "client-certificate-data": "YQ==", "client-key-data": "YQ==" } }),
  simple("an auth-provider that is gone", { user: { "auth-provider": { name: "gcp" } } }),
  simple("an auth-provider that is null", { user: { token: "t", "auth-provider": null } }),

  // For whom.
  simple("somebody else", {
    user: { token: "t", as: "system:serviceaccount:a:b", "as-uid": "7", "as-groups": ["g", "h"] },
  }),
  simple("somebody else, with extra", {
    user: {
      token: "t",
      as: "a",
      "as-user-extra": { scopes: ["one", "two"], "example.com/Team A": ["x"], none: [], nil: null },
    },
  }),
  simple("somebody else, all null", {
    user: { token: "t", as: null, "as-uid": null, "as-groups": null, "as-user-extra": null },
  }),
  simple("groups without somebody", { user: { token: "t", "as-groups": ["g"] } }),
  simple("extra without somebody", { user: { token: "t", "as-user-extra": { a: ["b"] } } }),
  simple("a uid without somebody", { user: { token: "t", "as-uid": "7" } }),
  simple("somebody else, with a certificate", ({ client }) => ({
    user: { as: "a", "client-certificate-data": base64(client.cert), "client-key-data": base64(client.key) },
  })),
  simple("somebody else over plain HTTP", ({ plain }) => ({
    cluster: { server: plain, "certificate-authority-data": null },
    user: { token: "t", as: "a", "as-groups": ["g"] },
  })),
  simple("somebody else whose name has a line break", { user: { token: "t", as: "a\nb" } }),
  simple("somebody else in Greek", { user: { token: "t", as: "Ωmega" } }),

  // Plugins.
  plugin("a plugin", {}),
  plugin(
    "a plugin, for somebody else",
    {},
    {
      user: { as: "deployer", "as-uid": "7", "as-groups": ["team-a"], "as-user-extra": { k: ["v"] } },
    },
  ),
  plugin(
    "a plugin that gives a certificate, for somebody else",
    {},
    {
      user: { as: "deployer" },
      status: ({ pluginCertificate: { cert, key } }) => ({ clientCertificateData: cert, clientKeyData: key }),
    },
  ),
  plugin(
    "a plugin that gives both",
    {},
    {
      status: ({ pluginCertificate: { cert, key } }) => ({
        token: "t",
        clientCertificateData: cert,
        clientKeyData: key,
      }),
    },
  ),
  plugin(
    "a plugin that gives a certificate alone",
    {},
    {
      status: ({ pluginCertificate: { cert } }) => ({ token: "t", clientCertificateData: cert }),
    },
  ),
  plugin("a plugin that gives nothing", {}, { status: { token: "" } }),
  plugin("a plugin that gives null", {}, { status: { token: "t", expirationTimestamp: null, clientKeyData: null } }),
  plugin(
    "a plugin whose credential ends soon",
    {},
    {
      status: { token: "t", expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() },
    },
  ),
  plugin(
    "a plugin whose credential has ended",
    {},
    {
      status: { token: "t", expirationTimestamp: new Date(Date.now() - 3_600_000).toISOString() },
    },
  ),
  plugin("a plugin whose credential ends at no time", {}, { status: { token: "t", expirationTimestamp: "soon" } }),
  plugin("a plugin that may ask", { interactiveMode: "IfAvailable" }),
  plugin("a plugin that must ask", { interactiveMode: "Always" }),
  plugin("a plugin of no mode", { interactiveMode: null }),
  plugin("a plugin of an unknown mode", { interactiveMode: "Sometimes" }),
  plugin("a plugin of v1beta1 and no mode", { interactiveMode: null }, { apiVersion: V1BETA1 }),
  plugin("a plugin of v1alpha1", {}, { apiVersion: "client.authentication.k8s.io/v1alpha1" }),
  plugin("a plugin of no version", { apiVersion: null }),
  plugin("a plugin that answers in another version", { apiVersion: V1 }, { apiVersion: V1BETA1 }),
  plugin(
    "a plugin that is told of the cluster",
    { provideClusterInfo: true, args: ["a b", "c"], env: [{ name: "OWN", value: "o" }] },
    {
      cluster: {
        "disable-compression": true,
        extensions: [
          { name: "client.authentication.k8s.io/exec", extension: { audience: "x" } },
          { name: "other", extension: 1 },
        ],
      },
    },
  ),
  plugin(
    "a plugin with nulls",
    { args: null, env: null, provideClusterInfo: null, installHint: null },
    { cluster: { extensions: null } },
  ),
  plugin("a plugin with a variable that is null", { env: [{ name: "OWN", value: null }] }),
  plugin("a plugin with a variable without a name", { env: [{ value: "o" }] }),
  plugin("a plugin beside a token", {}, { user: { token: "t" } }),
  plugin("a plugin beside a file of a token", {}, { user: { tokenFile: "token" } }),
  plugin("a plugin beside a name", {}, { user: { username: "n", password: "p" } }),
  plugin("a plugin beside an auth-provider", {}, { user: { "auth-provider": { name: "oidc" } } }),
  plugin("a plugin that fails", {}, { script: "exit 3" }),
  plugin("a plugin that prints no JSON", {}, { script: "echo no; exit 0" }),
  plugin("a plugin that is not there", { command: "./gone.sh" }),
  plugin("a plugin that is not on PATH", { command: "no-such-plugin" }),
  plugin("a plugin without a command", { command: "" }),
  {
    ...plugin("a plugin beside a certificate", {}),
    files: (site) => ({
      ...plugin("", {}).files(site),
      config: config(site, {
        user: {
          exec: { apiVersion: V1, command: "./plugin.sh", interactiveMode: "Never" },
          "client-certificate-data": base64(site.client.cert),
          "client-key-data": base64(site.client.key),
        },
      }),
    }),
  },
  {
    ...plugin("a plugin over plain HTTP", {}),
    files: (site) => ({
      ...plugin("", {}).files(site),
      config: config(site, {
        cluster: { server: site.plain, "certificate-authority-data": null },
        user: { exec: { apiVersion: V1, command: "./plugin.sh", interactiveMode: "Never" }, as: "a" },
      }),
    }),
  },

  // Where to.
  simple("a path in front", ({ secure }) => ({ cluster: { server: `${secure}/clusters/a/` }, user: { token: "t" } })),
  simple("a path and a query", ({ secure }) => ({ cluster: { server: `${secure}/a?b=c#d` } })),
  simple("a name instead of an address", ({ secure }) => ({
    cluster: { server: secure.replace("127.0.0.1", "localhost") },
  })),
  simple("a scheme in capitals", ({ secure }) => ({
    cluster: { server: secure.replace("https", "HTTPS") },
    user: { token: "t" },
  })),
  simple("plain HTTP, with a token", ({ plain }) => ({
    cluster: { server: plain, "certificate-authority-data": null },
    user: { token: "t" },
  })),
  simple("host and port", ({ plainPort }) => ({
    cluster: { server: `localhost:${plainPort}`, "certificate-authority-data": null },
    user: { token: "t" },
  })),
  simple("address and port", ({ plainPort }) => ({
    cluster: { server: `127.0.0.1:${plainPort}`, "certificate-authority-data": null },
  })),
  simple("host and port, with a CA", ({ plainPort }) => ({ cluster: { server: `localhost:${plainPort}` } })),
  simple("host, port and path", ({ plainPort }) => ({ cluster: { server: `localhost:${plainPort}/a` } })),
  simple("no address", { cluster: { server: null } }),
  simple("what is no address", { cluster: { server: "https://" } }),
  simple("another scheme", ({ plainPort }) => ({ cluster: { server: `ftp://127.0.0.1:${plainPort}` } })),
  simple("blanks around the address", ({ secure }) => ({ cluster: { server: ` ${secure} ` } })),
  simple(
    "a name and a password in the address",
    ({ secure }) => ({
      cluster: { server: secure.replace("://", "://n:p@") },
    }),
    { onlyWeRefuse: /a name or a password in its address/ },
  ),
  simple("another name for its certificate", { cluster: { "tls-server-name": "localhost" } }),
  simple("another name that it has not", { cluster: { "tls-server-name": "api.example.com" } }),
  simple("no CA", { cluster: { "certificate-authority-data": null } }),
  simple(
    "a CA in a file",
    {},
    {
      files: (site) => ({
        config: config(site, {
          cluster: { "certificate-authority-data": null, "certificate-authority": "pki/ca.pem" },
        }),
        "pki/ca.pem": site.serving.cert,
      }),
    },
  ),
  simple(
    "a CA, and a file of it",
    {},
    {
      files: (site) => ({
        config: config(site, { cluster: { "certificate-authority": "pki/ca.pem" } }),
        "pki/ca.pem": site.serving.cert,
      }),
    },
  ),
  simple("a CA in a file that is not there", {
    cluster: { "certificate-authority-data": "", "certificate-authority": "gone" },
  }),
  simple("a CA that is no PEM", { cluster: { "certificate-authority-data": "YQ==" } }),
  simple("a CA that is no base64", { cluster: { "certificate-authority-data": "%%%" } }),
  simple("no check of its certificate", {
    cluster: { "certificate-authority-data": null, "insecure-skip-tls-verify": true },
    user: { token: "t" },
  }),
  simple("a CA, and no check of its certificate", { cluster: { "insecure-skip-tls-verify": true } }),
  simple("a proxy", ({ plain }) => ({ cluster: { "proxy-url": plain } }), { onlyWeRefuse: /proxy-url/ }),
  simple("a proxy that is null", { cluster: { "proxy-url": null } }),

  // The file itself.
  simple("nulls in the context", { context: { namespace: null, extensions: null } }),
  simple("a namespace that is none", { context: { namespace: "a_b" } }),
  simple("a context without a user", { context: { user: null } }, ANONYMOUS),
  simple("a context without a cluster", { context: { cluster: "" } }),
  simple("a user that is not there", { context: { user: "gone" } }),
  simple("a context that is not there", { top: { "current-context": "gone" } }),
  simple("nulls all over", {
    cluster: { "tls-server-name": null, "insecure-skip-tls-verify": null },
    top: { preferences: null, extensions: null, apiVersion: null, kind: null },
  }),
  simple("another kind", { top: { kind: "Pod" } }),
  simple("another version", { top: { apiVersion: "v2" } }),
  simple("unknown members", { cluster: { unknown: 1 }, top: { more: {} } }),
  simple("a number as the token", { user: { token: 12345 } }),
  simple("a cluster twice", ({ secure }) => ({
    top: {
      clusters: [
        { name: "c", cluster: { server: secure, "insecure-skip-tls-verify": true } },
        { name: "c", cluster: { server: "https://other:1" } },
      ],
    },
  })),
  simple("a cluster that nobody names and that is null", ({ secure, serving }) => ({
    top: {
      clusters: [
        { name: "empty", cluster: null },
        { name: "odd", cluster: { server: "" } },
        { name: "c", cluster: { server: secure, "certificate-authority-data": base64(serving.cert) } },
      ],
    },
  })),
  {
    title: "YAML with anchors, a merge key and words of YAML 1.1",
    files: ({ secure }) => ({
      config: `
current-context: x
base: &base {server: "${secure}"}
clusters:
- name: c
  cluster:
    <<: *base
    insecure-skip-tls-verify: yes
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u, namespace: ~}}]
`,
    }),
  },
  {
    title: "YAML with a key twice and a second document",
    files: ({ secure }) => ({
      config: `---
current-context: y
current-context: x
clusters: [{name: c, cluster: {server: "${secure}", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
---
current-context: z
`,
    }),
  },
  {
    title: "a byte order mark",
    files: (site) => ({ config: `\ufeff${JSON.stringify(config(site, { user: { token: "t" } }))}` }),
  },
  {
    title: "UTF-16, as PowerShell writes it",
    files: (site) => ({
      config: Buffer.from(`\ufeff${JSON.stringify(config(site, { user: { token: "t" } }))}`, "utf16le"),
    }),
  },
  {
    title: "UTF-16 with the other order of bytes",
    files: (site) => ({
      config: Buffer.from(`\ufeff${JSON.stringify(config(site, { user: { token: "t" } }))}`, "utf16le").swap16(),
    }),
  },
  {
    title: "what is no text",
    files: (site) => ({
      config: Buffer.concat([Buffer.from(JSON.stringify(config(site, { user: { token: "t" } }))), Buffer.from([0xff])]),
    }),
  },
  {
    title: "several files: of one name the first holds, and paths start from its directory",
    paths: "none:a/config:b/config:a/config",
    files: (site) => ({
      "a/config": { "current-context": "x", users: [{ name: "u", user: { tokenFile: "token" } }] },
      "a/token": "of-a",
      "b/config": config(site, { user: { token: "of-b" }, top: { "current-context": "y" } }),
      "b/token": "of-b",
    }),
  },
  {
    title: "several files: the current context of the second, where the first says null",
    paths: "a/config:b/config",
    files: (site) => ({
      "a/config": {
        "current-context": null,
        users: null,
        contexts: [{ name: "x", context: { cluster: "c", user: "w" } }],
      },
      "b/config": config(site, {
        top: {
          users: [
            { name: "w", user: { token: "w" } },
            { name: "u", user: { token: "u" } },
          ],
        },
      }),
    }),
  },
  {
    title: "several files, the second of which is no YAML",
    paths: "a/config:b/config",
    files: (site) => ({ "a/config": config(site, { user: { token: "t" } }), "b/config": "a: [" }),
  },
  {
    title: "several files, the second of which is empty",
    paths: "a/config:b/config",
    files: (site) => ({ "a/config": config(site, { user: { token: "t" } }), "b/config": "" }),
  },
];
