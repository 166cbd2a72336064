import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeRequestAnnotation } from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { callCli } from "../testing/call-cli.ts";
import { ask, taskMetadata, taskPod, writeManifest } from "../testing/pod-manifests.ts";
import { runCli } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-9d41c7";
const INLINE = ["--webhook.embeddedSecretManagerConfig.delivery", "Inline"];
const ID = "u__org__flyte__domain__dev__project__shop__key__api-key";

/** Names of Secrets that are written follow from a key that each process makes new. */
const WRITTEN = /flyte-secrets-[0-9a-f]{32}/g;
const mutate = async (...args: string[]) => {
  const result = await at.call("mutate", ...args);
  return { ...result, stdout: result.stdout.replace(WRITTEN, "WRITTEN") };
};

const VARIABLES = [
  {
    name: "_UNION_API-KEY",
    valueFrom: { secretKeyRef: { name: "WRITTEN", key: ID } },
  },
  { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
];
const mutatedSpec = { containers: [{ name: "main", image: "train", env: VARIABLES }] };
const writtenSecret = (value: string, namespace = "shop-dev") => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "WRITTEN", namespace, labels: { "app.flyte.org/managed-by": "flyte-secrets-webhook" } },
  type: "Opaque",
  data: { [ID]: value },
});

describe("mutate", () => {
  it("shows the change of a pod as a diff, and the Secret that would be written with its value masked", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const annotation = encodeRequestAnnotation(ask("api-key"));
    const pod = `# A comment
apiVersion: v1
kind: Pod
metadata:
  name: train
  namespace: shop-dev
  labels: { inject-flyte-secrets: "true", organization: flyte, project: shop, domain: dev }
  annotations:
    flyte.secrets/s0: ${annotation}
spec:
  containers:
    - name: main
      image: train
      env:
        - { name: DEBUG, value: "yes" }
`;
    const result = await runCli({ args: ["mutate", "-f", "-"], env: at.env, input: pod });
    writeFileSync(join(at.home, "utf16.yaml"), Buffer.from(`\ufeff${pod}`, "utf16le"));
    expect(await mutate("-f", "utf16.yaml")).toEqual({
      ...result,
      stdout: result.stdout.replace(WRITTEN, "WRITTEN"),
    });
    writeFileSync(join(at.home, "latin1.yaml"), Buffer.from(`${pod}# é`, "latin1"));
    expect(await at.call("mutate", "-f", "latin1.yaml")).toEqual(
      failure(1, "latin1.yaml: not text: expected UTF-8, or UTF-16 with a byte order mark"),
    );
    expect({ ...result, stdout: result.stdout.replace(WRITTEN, "WRITTEN") }).toEqual(
      success(`--- /dev/null
+++ Secret shop-dev/WRITTEN
@@ -0,0 +1,10 @@
+apiVersion: v1
+kind: Secret
+metadata:
+  name: WRITTEN
+  namespace: shop-dev
+  labels:
+    app.flyte.org/managed-by: flyte-secrets-webhook
+type: Opaque
+data:
+  ${ID}: "********"
--- Pod shop-dev/train
+++ Pod shop-dev/train
@@ -14,6 +14,13 @@
   containers:
     - name: main
       image: train
       env:
+        - name: _UNION_API-KEY
+          valueFrom:
+            secretKeyRef:
+              name: WRITTEN
+              key: ${ID}
+        - name: FLYTE_SECRETS_ENV_PREFIX
+          value: _UNION_
         - name: DEBUG
           value: "yes"
`),
    );
  });

  it("prints the Secret and the pod as YAML, or as a List in JSON, or the patch alone", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const pod = taskPod([ask("api-key")]);
    writeManifest(at.home, "pod.json", pod);
    const mutated = { ...pod, spec: mutatedSpec };
    const yaml = await mutate("-f", "pod.json", "-o", "yaml");
    expect(parseAllDocuments(yaml.stdout).map((document) => document.toJS())).toEqual([
      writtenSecret("********"),
      mutated,
    ]);
    const json = await mutate("-f", "pod.json", "-of", "json");
    expect(JSON.parse(json.stdout)).toEqual({
      apiVersion: "v1",
      kind: "List",
      items: [writtenSecret("********"), mutated],
    });
    const patch = await mutate("-f", "pod.json", "-o", "patch");
    expect(JSON.parse(patch.stdout)).toEqual([{ op: "add", path: "/spec/containers/0/env", value: VARIABLES }]);
  });

  it("shows values only where they are asked for, and never on a terminal", async () => {
    await at.keep({ "dev/shop/api-key": CANARY, "dev/shop/conf": CANARY });
    at.env.FLYTE_SECRET_DB_PASSWORD = CANARY;
    const requests = [ask("api-key"), ask("conf", { mountRequirement: 2 }), ask("password", { group: "db" })];
    writeManifest(at.home, "pod.json", taskPod(requests));
    const inBase64 = Buffer.from(CANARY).toString("base64");
    for (const delivery of [[], INLINE]) {
      for (const format of ["diff", "yaml", "json", "patch"]) {
        const masked = await mutate("-f", "pod.json", "-o", format, ...delivery);
        expect([masked.exitCode, masked.stderr]).toEqual([0, ""]);
        expect(masked.stdout).not.toMatch(new RegExp(`${CANARY}|${inBase64}`));
      }
    }
    const shown = await mutate("-f", "pod.json", "-o", "json", "--show-values");
    const { items } = JSON.parse(shown.stdout);
    expect(items.map(({ data }: { data?: object }) => data)).toEqual([
      { [ID]: inBase64 },
      { u__org__flyte__domain__dev__project__shop__key__conf: inBase64 },
      { global__db__password: inBase64 },
      undefined,
    ]);
    expect((await mutate("-f", "pod.json", "--show-values", ...INLINE)).stdout).toContain(`value: ${CANARY}\n`);
    const args = ["mutate", "-f", join(at.home, "pod.json"), "--show-values"];
    expect(await runOnTerminal({ args, env: at.env }, [])).toEqual({
      exitCode: 2,
      screen: "error: values are not written to a terminal; send the output to a file or pipe\r\n",
    });
  });

  it("says with exit code 1 why a pod would be rejected, with the status that Flyte gets, and shows the others", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    writeManifest(at.home, "pod.json", taskPod([ask("missing")]));
    expect(await mutate("-f", "pod.json")).toEqual(
      failure(
        1,
        "Pod shop-dev/train would be rejected with status 400: none of the secret managers injected secret [missing]: " +
          "Global: global secrets require both group and key to be set; Embedded: secret not found across all scopes, looked for " +
          "u__org__flyte__domain__dev__project__shop__key__missing (Store), " +
          "u__org__flyte__domain__dev__project____key__missing (Store), " +
          "u__org__flyte__domain____project____key__missing (Store)",
      ),
    );
    const broken = { ...taskMetadata([]), name: "broken", annotations: { "flyte.secrets/s0": "!" } };
    writeManifest(at.home, "list.json", {
      kind: "List",
      items: [taskPod([ask("api-key")]), { ...taskPod([]), metadata: broken }, taskPod([ask("missing")])],
    });
    const { exitCode, stdout, stderr } = await mutate("-f", "list.json", "-o", "patch");
    expect([exitCode, JSON.parse(stdout)]).toEqual([
      1,
      [{ op: "add", path: "/spec/containers/0/env", value: VARIABLES }],
    ]);
    expect(stderr.split("\n").map((line) => line.slice(0, 84))).toEqual([
      "rejected: Pod shop-dev/broken would be rejected with status 400: failed to unmarshal",
      "rejected: Pod shop-dev/train would be rejected with status 400: none of the secret m",
      "error: 2 of 3 objects would be rejected",
      "",
    ]);
  });

  it("shows in the template of a Deployment, Job or CronJob what becomes of its pods, and leaves other objects alone", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const { namespace, ...metadata } = taskMetadata([ask("api-key")]);
    const template = { metadata, spec: taskPod([]).spec };
    const objects = [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "web", namespace },
        spec: { replicas: 2, template },
      },
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "nightly", namespace },
        spec: { jobTemplate: { spec: { template } } },
      },
      { apiVersion: "v1", kind: "PodTemplate", metadata: { name: "task", namespace }, template },
      { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace } },
    ];
    writeFileSync(join(at.home, "all.yaml"), objects.map((object) => JSON.stringify(object)).join("\n---\n"));
    const { exitCode, stdout, stderr } = await mutate("-f", "all.yaml", "-o", "yaml");
    const mutated = { metadata, spec: mutatedSpec };
    const secret = writtenSecret("********");
    expect(parseAllDocuments(stdout).map((document) => document.toJS())).toEqual([
      secret,
      { ...objects[0], spec: { replicas: 2, template: mutated } },
      secret,
      { ...objects[1], spec: { jobTemplate: { spec: { template: mutated } } } },
      secret,
      { ...objects[2], template: mutated },
      objects[3],
    ]);
    expect([exitCode, stderr]).toEqual([0, "note: Service shop-dev/web is unchanged: there is no pod in it\n"]);
    const patch = await mutate("-f", "all.yaml", "-o", "patch");
    expect(patch.stdout.match(/"path": ".*"/g)).toEqual([
      '"path": "/spec/template/spec/containers/0/env"',
      '"path": "/spec/jobTemplate/spec/template/spec/containers/0/env"',
      '"path": "/template/spec/containers/0/env"',
    ]);
  });

  it("needs neither store nor value for pods that the webhook is not asked about, or that ask for nothing", async () => {
    const { labels, ...metadata } = taskMetadata([ask("api-key")]);
    writeManifest(at.home, "pods.json", {
      kind: "PodList",
      items: [
        { ...taskPod([]), metadata },
        taskPod([]),
        { ...taskPod([]), metadata: { generateName: "web-", labels } },
      ],
    });
    expect(await mutate("-f", "pods.json")).toEqual({
      exitCode: 0,
      stdout: "",
      stderr:
        'note: Pod shop-dev/train is unchanged: without the label inject-flyte-secrets: "true" the webhook is not asked\n' +
        "note: Pod shop-dev/train is unchanged: it asks for no secret, or has all that it asks for\n" +
        "note: Pod default/web-* is unchanged: it asks for no secret, or has all that it asks for\n",
    });
    writeManifest(at.home, "pod.json", taskPod([ask("api-key")]));
    expect(await mutate("-f", "pod.json")).toEqual(
      failure(1, `no store in ${at.store} yet; flyte-secrets create secret NAME makes one`),
    );
  });

  it("refuses a claim that the namespace does not support, and warns of it where the creator isn't named and may be trusted", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const { namespace: _, ...metadata } = taskMetadata([ask("api-key")]);
    writeManifest(at.home, "pod.json", { ...taskPod([]), metadata });
    const refusal =
      'a pod in namespace "other" may not claim project "shop" and domain "dev", whose own namespace is "shop-dev" ' +
      "(webhook.scopeBinding.namespaceTemplate): create it there, or have an administrator add to " +
      'webhook.scopeBinding.namespaces: {"other": ["shop/dev"]}';
    const trusted = ["--webhook.scopeBinding.trustedCreators", "group:operators"];
    const unknown = await mutate("-f", "pod.json", "-n", "other", "-o", "patch", ...trusted);
    expect([unknown.exitCode, unknown.stderr]).toEqual([0, `warning: Pod other/train: ${refusal}\n`]);
    for (const creator of [[], ["--as", "jane"], ["--as", "jane", ...trusted]]) {
      expect(await mutate("-f", "pod.json", "-n", "other", ...creator)).toEqual(
        failure(1, `Pod other/train would be rejected with status 400: ${refusal}`),
      );
    }
    const inGroup = await mutate(
      "-f",
      "pod.json",
      "-n",
      "other",
      "--as",
      "jane",
      "--as-group",
      "operators",
      ...trusted,
    );
    expect([inGroup.exitCode, inGroup.stderr]).toEqual([0, ""]);
    expect((await mutate("-f", "pod.json", "-n", "shop-dev", "--as", "jane")).exitCode).toBe(0);
  });

  it("judges a claim by the labels of the namespace that it is told, and says when it isn't told any", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    writeManifest(at.home, "pod.json", taskPod([ask("api-key")]));
    const by = (...args: string[]) =>
      mutate(
        "-f",
        "pod.json",
        "--as",
        "jane",
        "--webhook.scopeBinding.namespaceLabels",
        "true",
        "-o",
        "patch",
        ...args,
      );
    const untold = await by();
    expect([untold.exitCode, untold.stderr]).toEqual([
      0,
      "note: the labels of namespaces decide about claims (webhook.scopeBinding.namespaceLabels), and are not looked up here: " +
        "taken to be none; --namespace-labels says which there are\n",
    ]);
    const own = await by("--namespace-labels", "flyte.secrets/project=shop,flyte.secrets/domain=dev,team=x");
    expect([own.exitCode, own.stderr]).toEqual([0, ""]);
    const other = await by("--namespace-labels", "flyte.secrets/project=other,flyte.secrets/domain=dev");
    expect([other.exitCode, other.stderr]).toEqual([
      1,
      expect.stringContaining('the namespace has flyte.secrets/project="other" and flyte.secrets/domain="dev"'),
    ]);
    expect(await by("--namespace-labels", "shop")).toEqual(
      failure(2, "--namespace-labels must be NAME=VALUE, separated by commas"),
    );
  });

  it("reads numbers and truth values as Kubernetes does, and writes texts so that they stay texts", async () => {
    await at.keep({ "dev/shop/api-key": CANARY });
    const input = `${JSON.stringify(taskPod([ask("api-key")])).slice(0, -1)}, "mode": 0444, "on": off, "text": "0444", "port": 22:22 }`;
    const { stdout } = await callCli({ args: ["mutate", "-f", "-", "-o", "yaml"], env: at.env, input });
    expect(stdout).toMatch(/\nmode: 292\n"?on"?: false\ntext: "0444"\nport: "22:22"\n$/);
  });

  it.each([
    ["text that is no YAML", "a: b: c", "pod.yaml is neither YAML nor JSON: BLOCK_AS_IMPLICIT_KEY at line 1"],
    ["text that is no object", CANARY, "pod.yaml must hold Kubernetes objects only"],
    [
      "a pod with a wrong field",
      "{kind: Pod, metadata: {name: x}, spec: 1}",
      "Pod default/x: pod.spec must be an object",
    ],
  ])("refuses %s without quoting it", async (_, text, message) => {
    writeFileSync(join(at.home, "pod.yaml"), text);
    expect(await mutate("-f", "pod.yaml")).toEqual(failure(1, message));
  });

  it("refuses a file that is not there and options that have no meaning", async () => {
    expect(await mutate("-f", "none.yaml")).toEqual(failure(1, "--filename none.yaml cannot be read: no such file"));
    expect(await mutate("-f", "-", "--as-group", "x")).toEqual(failure(2, "--as-group needs --as"));
    expect(await at.call("-o", "table", "mutate", "-f", "-")).toEqual(
      failure(2, "--output-format of mutate is one of diff, yaml, json, patch"),
    );
  });
});
