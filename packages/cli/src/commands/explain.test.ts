import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask, taskMetadata, taskPod, writeManifest } from "../testing/pod-manifests.ts";
import { runCli } from "../testing/run-cli.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-9d41c7";

describe("explain", () => {
  const explain = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await at.call("explain", "-p", "shop", "-d", "dev", "-o", "json", ...args)).stdout);

  it("shows each place where the managers look, and stops where the secret is found", async () => {
    await at.keep({ "dev/api-key": CANARY, "api-key": "broader" });
    const simple = await at.call("explain", "api-key", "-p", "shop", "-d", "dev", "-of", "table-simple");
    expect(simple).toEqual(
      success(
        "manager   what           name                              result\n" +
          "Embedded  project scope  project shop, domain dev          not found\n" +
          "Embedded  domain scope   domain dev                        found\n" +
          "Embedded  variable       FLYTE_SECRETS_ENV_PREFIX=_UNION_  injected\n" +
          "Embedded  variable       _UNION_API-KEY                    injected\n" +
          "Global    -              -                                 global secrets require both group and key to be set\n" +
          "Embedded serves it from domain dev, as variable _UNION_API-KEY.\n",
      ),
    );
  });

  it("does not ask further managers when one serves the request", async () => {
    await at.keep({ password: "x" });
    at.env.FLYTE_SECRET_DB_PASSWORD = CANARY;
    expect(await explain("password", "--group", "db")).toEqual([
      {
        manager: "Global",
        outcome: "serves",
        places: [{ kind: "variable", name: "FLYTE_SECRET_DB_PASSWORD", found: true }],
        injects: [
          { kind: "variable", name: "FLYTE_SECRETS_ENV_PREFIX=_UNION_" },
          { kind: "variable", name: "_UNION_DB_PASSWORD" },
        ],
      },
      { manager: "Embedded", outcome: "not asked" },
    ]);
  });

  it("says why a secret that is there cannot be served, with exit code 1", async () => {
    await at.keep({ bytes: Uint8Array.of(255) });
    const result = await at.call("explain", "bytes", "-p", "shop", "-d", "dev", "--mount", "env");
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain("found");
    expect(result.stderr).toMatch(/^error: .*mount as a file instead.*\n$/);
  });

  it("says with exit code 1 that nobody has a secret, and how to create it", async () => {
    await at.keep({ other: "x" });
    const result = await at.call("explain", "missing", "-p", "shop", "-d", "dev");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      "error: no secret manager serves missing\n" +
        "  Create it for project shop, domain dev:\n" +
        "    flyte-secrets create secret missing -p shop -d dev\n",
    );
  });

  it.each([
    ["api-kye", '"api-key" (domain dev)'],
    ["APIKEY", '"api-key" (domain dev)'],
    ["othr", '"other" (global scope)'],
  ])("takes %s for a typing error of a secret that the task may have", async (typed, meant) => {
    await at.keep({ other: "x", "dev/api-key": "x", "dev/blog/api-kyes": "x", "prod/shop/api-kyee": "x" });
    const { stderr } = await at.call("explain", typed, "-p", "shop", "-d", "dev");
    expect(stderr).toContain(`\n  Did you mean ${meant}?\n  Create it for project shop, domain dev:\n`);
  });

  const SET_DIRECTORY = [
    { kind: "variable", name: "FLYTE_SECRETS_DEFAULT_DIR=/etc/flyte/secrets" },
    { kind: "variable", name: "FLYTE_SECRETS_FILE_PREFIX=" },
  ];
  const sidecar = (cloud: string, file: string) => [
    { kind: "file", name: file },
    { kind: "volume", name: `${cloud}-secret-vol` },
    { kind: "init container", name: `${cloud}-pull-secret-<n>` },
    ...SET_DIRECTORY,
  ];
  const VAULT_ID = expect.stringMatching(
    /^vault\.hashicorp\.com\/(agent-inject-(secret|file|template)|error-on-missing-key)-/,
  );

  it.each([
    [
      "K8s",
      ["password", "--group", "Db", "--env-var", "PASSWORD"],
      { kind: "Kubernetes Secret", name: "Db key password" },
      [
        { kind: "file", name: "/etc/flyte/secrets/db/password" },
        ...SET_DIRECTORY,
        { kind: "variable", name: "PASSWORD=/etc/flyte/secrets/db/password" },
      ],
    ],
    [
      "AWS",
      ["password", "--group", "arn:aws:secretsmanager:eu-west-1:1:secret:Db"],
      { kind: "AWS secret", name: "arn:aws:secretsmanager:eu-west-1:1:secret:Db:password" },
      sidecar("aws", "/etc/flyte/secrets/arn:aws:secretsmanager:eu-west-1:1:secret:db/password"),
    ],
    [
      "GCP",
      ["--group", "projects/p/secrets/Db", "--group-version", "3"],
      { kind: "GCP secret", name: "projects/p/secrets/Db/versions/3" },
      sidecar("gcp", "/etc/flyte/secrets/projects/p/secrets/db/3"),
    ],
    [
      "Azure",
      ["--group", "https://v.vault.azure.net/secrets/Db/"],
      { kind: "Azure secret", name: "https://v.vault.azure.net/secrets/Db" },
      sidecar("azure", "/etc/flyte/secrets/db"),
    ],
    [
      "Vault",
      ["password", "--group", "secret/data/db"],
      { kind: "Vault secret", name: "secret/data/db password" },
      [
        { kind: "file", name: "/etc/flyte/secrets/secret/data/db/password" },
        ...SET_DIRECTORY,
        { kind: "annotation", name: "vault.hashicorp.com/agent-inject=true" },
        { kind: "annotation", name: "vault.hashicorp.com/secret-volume-path=/etc/flyte/secrets" },
        { kind: "annotation", name: "vault.hashicorp.com/role=flyte" },
        { kind: "annotation", name: "vault.hashicorp.com/agent-pre-populate-only=true" },
        { kind: "annotation", name: VAULT_ID },
        { kind: "annotation", name: VAULT_ID },
        { kind: "annotation", name: VAULT_ID },
        { kind: "annotation", name: VAULT_ID },
      ],
    ],
  ])("tells what a pod would read through %s, and which files it gets, without a store", async (manager, args, place, injects) => {
    const explained = await explain(...args, "--webhook.secretManagerTypes", manager);
    expect(explained).toContainEqual({ manager, outcome: "serves", places: [place], injects });
  });

  it("explains every request of a file's pods, and says when the webhook would not be asked", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const pod = taskPod([ask("api-key"), ask("missing", { mountRequirement: 2 })]);
    const { labels: _, ...unlabelled } = taskMetadata([ask("api-key")], { name: "unlabelled" });
    const items = [pod, { kind: "Job", metadata: { name: "j" }, spec: { template: { ...pod, metadata: unlabelled } } }];
    writeManifest(at.home, "list.json", { kind: "List", items });
    const simple = await at.call("explain", "-f", "list.json", "-o", "table-simple");
    expect(simple).toEqual({
      exitCode: 1,
      stdout: `Pod shop-dev/train: key api-key, mount ENV_VAR
manager   what           name                              result
Embedded  project scope  project shop, domain dev          found
Embedded  variable       FLYTE_SECRETS_ENV_PREFIX=_UNION_  injected
Embedded  variable       _UNION_API-KEY                    injected
Global    -              -                                 global secrets require both group and key to be set
Embedded serves it from project shop, domain dev, as variable _UNION_API-KEY.

Pod shop-dev/train: key missing, mount FILE
manager   what           name                      result
Embedded  project scope  project shop, domain dev  not found
Embedded  domain scope   domain dev                not found
Embedded  global scope   global scope              not found
Global    -              -                         global secrets require both group and key to be set

Job default/j: key api-key, mount ENV_VAR
manager   what  name  result
Global    -     -     global secrets require both group and key to be set
Embedded  -     -     secret read requirements not met due to empty organization field in the pod labels
`,
      stderr:
        'warning: without the label inject-flyte-secrets: "true" the webhook is not asked about Job default/j\n' +
        "error: 2 of 3 requests are served by no secret manager\n",
    });
    const [first] = JSON.parse((await at.call("explain", "-f", "list.json", "-o", "json")).stdout);
    expect([first.object, first.request]).toEqual([
      "Pod shop-dev/train",
      { group: "", groupVersion: "", key: "api-key", mountRequirement: "ENV_VAR", envVar: "" },
    ]);
  });

  it("ends with 1 for a claim that the webhook would refuse where the namespace is known, and warns of it where somebody is trusted", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const refusal =
      'a pod in namespace "other" may not claim project "shop" and domain "dev", whose own namespace is "shop-dev" ' +
      "(webhook.scopeBinding.namespaceTemplate): create it there, or have an administrator add to " +
      'webhook.scopeBinding.namespaces: {"other": ["shop/dev"]}';
    const scope = ["-p", "shop", "-d", "dev"];
    const trusting = ["--webhook.scopeBinding.trustedCreators", "group:operators"];
    expect(await at.call("explain", "api-key", ...scope, "-n", "other")).toMatchObject({
      exitCode: 1,
      stderr: `error: a pod that asks for it alone would be rejected with status 400: ${refusal}\n`,
    });
    expect(await at.call("explain", "api-key", ...scope, "-n", "other", ...trusting)).toMatchObject({
      exitCode: 0,
      stderr: `warning: ${refusal}\n`,
    });
    expect(await at.call("explain", "api-key", ...scope, "-n", "shop-dev")).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await at.call("explain", "api-key", ...scope)).toMatchObject({ exitCode: 0, stderr: "" });
    const pod = taskPod([ask("api-key")]);
    writeManifest(at.home, "pod.json", { ...pod, metadata: { ...pod.metadata, namespace: "other" } });
    expect(await at.call("explain", "-f", "pod.json")).toMatchObject({
      exitCode: 1,
      stderr:
        `rejected: Pod other/train would be rejected with status 400: ${refusal}\n` +
        "error: each request is served, and still the webhook would reject such a pod\n",
    });
    expect(await at.call("explain", "-f", "pod.json", ...trusting)).toMatchObject({
      exitCode: 0,
      stderr: `warning: ${refusal}\n`,
    });
  });

  it("needs a key, a group or a file, and takes no two of them", async () => {
    expect(await at.call("explain")).toEqual(
      failure(2, "name the secret's key or --group, or with -f a file with pods"),
    );
    expect(await at.call("explain", "-f", "x", "--mount", "env")).toEqual(
      failure(2, "--mount cannot be used with --filename: the pods say what they ask for"),
    );
  });

  it("asks the secret manager that the configuration names, and never shows a value of it", async () => {
    const asked: (string | undefined)[] = [];
    const vault = createServer((req, res) => {
      asked.push(req.url);
      const found = req.url?.includes("project____key");
      const body = found ? { data: { data: { value: CANARY } } } : { errors: [] };
      res.writeHead(found ? 200 : 404, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await once(vault.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void vault.close());
    writeFileSync(join(at.home, "token"), "token");
    const setting = (path: string, value: string) => [`--webhook.embeddedSecretManagerConfig.${path}`, value];
    const { exitCode, stdout, stderr } = await runCli({
      args: [
        ...["explain", "api-key", "-p", "shop", "-d", "dev", "-o", "table-simple"],
        ...setting("type", "Vault"),
        ...setting("vaultConfig.address", `http://127.0.0.1:${(vault.address() as AddressInfo).port}`),
        ...setting("vaultConfig.auth", "token"),
        ...setting("vaultConfig.tokenFile", join(at.home, "token")),
      ],
      env: at.env,
    });
    const id = (scope: string) => `secret/data/u__org__flyte__domain__${scope}__key__api-key`;
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n").slice(1, 3)).toEqual([
      `Embedded  project scope  ${id("dev__project__shop")}  not found`,
      `Embedded  domain scope   ${id("dev__project__")}      found`,
    ]);
    expect(stdout).not.toContain(CANARY);
    expect(asked.sort().at(-1)).toBe(`/v1/${id("dev__project__shop")}`);
  });

  it("says what a secret manager needs that it can't do without", async () => {
    const type = "--webhook.embeddedSecretManagerConfig.type";
    expect(await at.call("explain", "api-key", type, "K8s")).toEqual(
      failure(
        2,
        `No Kubernetes cluster is known: this is no pod of one, and there is no ${at.home}/.kube/config. ` +
          "Set secret.kubernetes.kubeconfig or KUBECONFIG.",
      ),
    );
  });
});
