import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MountRequirement } from "@flyte-secrets/core";
import { beforeEach, describe, expect, it, test } from "vitest";
import type { Verdict } from "../check/verdict.ts";
import { ask, taskPod } from "../testing/pod-manifests.ts";
import { runCli } from "../testing/run-cli.ts";
import { failure, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-of-a-value";

beforeEach(async () => {
  await at.keep({
    "dev/shop/narrow": CANARY,
    "dev/broad": CANARY,
    global: CANARY,
    "prod/elsewhere": CANARY,
    "dev/shop/bytes": Uint8Array.of(255, 0),
  });
});

const write = (name: string, content: string | object) =>
  writeFileSync(join(at.home, name), typeof content === "string" ? content : JSON.stringify(content));

const TASKS = `import { Secret, task, workflow } from "${import.meta.resolve("@flyte-secrets/sdk")}";
const body = async () => {};
export const good = task({ name: "good", secrets: ["narrow", "broad", "global"] }, body);
export const bad = task({ name: "bad", secrets: ["elsewhere", "narow", "bytes"] }, body);
export const none = task({ name: "none" }, body);
`;

/** The verdicts of a call, without what is the same everywhere. */
async function check(...args: string[]) {
  const { exitCode, stdout, stderr } = await runCli({
    args: ["check", ...args, "-o", "json", "-p", "shop", "-d", "dev"],
    cwd: at.home,
    env: at.env,
  });
  expect(stdout + stderr).not.toContain(CANARY);
  const verdicts: Verdict[] = stdout === "" ? [] : JSON.parse(stdout);
  return { exitCode, stderr, verdicts, codes: verdicts.map(({ secret, code, level }) => [secret, code, level]) };
}

describe("tasks", () => {
  it("are judged request by request, with what is known of those that are missing", async () => {
    write("tasks.mjs", TASKS);
    const { exitCode, stderr, verdicts, codes } = await check("tasks.mjs");
    expect(codes).toEqual([
      ["narrow", "found", "ok"],
      ["broad", "broader", "note"],
      ["global", "broader", "note"],
      ["elsewhere", "missing", "error"],
      ["narow", "missing", "error"],
      ["bytes", "unreadable", "error"],
    ]);
    expect(verdicts.map(({ subject }) => subject)).toEqual([
      ...Array(3).fill("task good"),
      ...Array(3).fill("task bad"),
    ]);
    expect(verdicts.map(({ message, remedy }) => [message, remedy])).toEqual([
      ["project shop, domain dev", undefined],
      ["domain dev; project shop, domain dev has none of its own", undefined],
      ["global scope; project shop, domain dev has none of its own", undefined],
      [
        "it was not found for project shop, domain dev",
        '"elsewhere" exists at domain prod. For a task there, add: -p shop -d prod',
      ],
      ["it was not found for project shop, domain dev", 'Did you mean "narrow" (project shop, domain dev)?'],
      [
        expect.stringContaining("has a binary value that is not a valid UTF-8 string; mount as a file instead"),
        undefined,
      ],
    ]);
    expect([exitCode, stderr]).toEqual([1, "error: 3 of 6 verdicts are errors\n"]);
  });

  it("may be required to have their secrets at the narrowest scope", async () => {
    write("tasks.mjs", TASKS.replace(/.*"bad".*\n/, ""));
    expect((await check("tasks.mjs")).exitCode).toBe(0);
    const { exitCode, codes } = await check("tasks.mjs", "--require", "narrowest-scope");
    expect([exitCode, codes.map(([, , level]) => level)]).toEqual([1, ["ok", "error", "error"]]);
  });

  it("and the project file that declares what they ask for have the same verdicts", async () => {
    const secrets =
      '[new Secret({ key: "narrow", asEnvVar: "A" }), new Secret({ key: "broad", mount: "/etc/flyte/secrets" })]';
    write("tasks.mjs", TASKS.replace('["narrow", "broad", "global"]', secrets).replace(/.*"bad".*\n/, ""));
    write("flyte-secrets.yaml", "secrets:\n  - { key: narrow, variable: A }\n  - { key: broad, as: file }\n");
    expect((await check("tasks.mjs", "flyte-secrets.yaml")).codes).toEqual([
      ["narrow", "found", "ok"],
      ["broad", "broader", "note"],
      ["narrow", "found", "ok"],
      ["broad", "broader", "note"],
    ]);
  });

  it("that can't be loaded are an error, and so are files that aren't there", async () => {
    write("tasks.mjs", "export const a = ;");
    expect((await check("tasks.mjs")).stderr).toMatch(/^error: tasks\.mjs:1:18: /);
    expect((await check("nothing.mjs")).stderr).toBe("error: FILE nothing.mjs cannot be read: no such file\n");
  });
});

describe("pods", () => {
  const request = (key: string, rest: object = {}) => ({ ...ask(key), ...rest });

  it("are judged in the scope of their labels and in their namespace", async () => {
    write("pod.yaml", taskPod([request("narrow"), request("missing")]));
    expect((await check("pod.yaml")).codes).toEqual([
      ["narrow", "found", "ok"],
      ["missing", "missing", "error"],
    ]);
  });

  it("that claim a scope which isn't theirs are refused", async () => {
    const pod = taskPod([request("narrow")]);
    write("pod.yaml", { ...pod, metadata: { ...pod.metadata, namespace: "other-dev" } });
    const { codes, verdicts } = await check("pod.yaml");
    expect(codes).toEqual([["narrow", "refused", "error"]]);
    expect(verdicts[0]?.message).toContain("webhook.scopeBinding");
    const warned = await check("pod.yaml", "--webhook.scopeBinding.mode", "warn");
    expect([warned.exitCode, warned.codes]).toEqual([
      0,
      [
        ["narrow", "found", "ok"],
        [undefined, "refused", "warning"],
      ],
    ]);
    const trusting = ["--webhook.scopeBinding.trustedCreators", '["system:serviceaccount:flyte:flytepropeller"]'];
    expect((await check("pod.yaml", ...trusting)).exitCode).toBe(0);
    const asOther = await check("pod.yaml", ...trusting, "--as", "somebody");
    expect(asOther.codes).toEqual([["narrow", "refused", "error"]]);
    const asFlyte = await check("pod.yaml", ...trusting, "--as", "system:serviceaccount:flyte:flytepropeller");
    expect(asFlyte.codes).toEqual([["narrow", "found", "ok"]]);
  });

  it("have two secrets in one variable only if the webhook lets them", async () => {
    const both = { mountRequirement: MountRequirement.ENV_VAR, envVar: "A" };
    write("pod.yaml", taskPod([request("narrow", both), request("broad", both)]));
    const { codes, verdicts } = await check("pod.yaml");
    expect(codes).toEqual([
      ["narrow", "found", "ok"],
      ["broad", "broader", "note"],
      [undefined, "conflict", "error"],
    ]);
    expect(verdicts[2]?.message).toMatch(/\bA\b/);
  });

  it("can't have what no secret is called, in a group that they may not name, or without the label", async () => {
    write("pod.yaml", taskPod([request("no name!")]));
    expect((await check("pod.yaml")).codes).toEqual([["no name!", "impossible", "error"]]);
    write("pod.yaml", taskPod([request("k", { group: "g" })]));
    const binding = ["--webhook.groupBinding", '{"*":[]}', "--webhook.secretManagerTypes", "GCP"];
    expect((await check("pod.yaml", ...binding)).codes).toEqual([["g/k", "refused", "error"]]);
    const { metadata, ...rest } = taskPod([request("narrow")]);
    const { "inject-flyte-secrets": _, ...labels } = metadata.labels as Record<string, string>;
    write("pod.yaml", { ...rest, metadata: { ...metadata, labels } });
    expect((await check("pod.yaml")).codes).toEqual([
      ["narrow", "found", "ok"],
      [undefined, "unlabelled", "error"],
    ]);
  });

  it("whose secrets are read when they start are only noted", async () => {
    const group = { group: "projects/p/secrets/g", groupVersion: "1" };
    const gcp = ["--webhook.secretManagerTypes", "GCP"];
    write("pod.yaml", taskPod([request("k", { ...group, mountRequirement: MountRequirement.FILE })]));
    const { exitCode, codes } = await check("pod.yaml", ...gcp);
    expect([exitCode, codes]).toEqual([0, [["projects/p/secrets/g/k", "deferred", "note"]]]);
    write("pod.yaml", taskPod([request("k", group)]));
    expect((await check("pod.yaml", ...gcp)).codes).toEqual([["projects/p/secrets/g/k", "impossible", "error"]]);
  });
});

describe("a project file", () => {
  it("is judged as one task, without what is optional, and by its environment", async () => {
    write(
      "flyte-secrets.yaml",
      "secrets: [{ key: narrow }, { key: dsn, optional: true }]\n" +
        "environments: { staging: { secrets: [{ key: dsn }] } }\n",
    );
    const plain = await check();
    expect([plain.exitCode, plain.codes]).toEqual([
      0,
      [
        ["narrow", "found", "ok"],
        ["dsn", "missing", "note"],
      ],
    ]);
    expect((await check("--environment", "staging")).codes).toContainEqual(["dsn", "missing", "error"]);
  });

  it("is held together with tasks that are named beside it", async () => {
    write("tasks.mjs", TASKS.replace(/.*"bad".*\n/, ""));
    write(
      "flyte-secrets.yaml",
      "secrets: [{ key: narrow }, { key: broad, as: file }, { key: global, as: any }, { key: bytes, as: file }]",
    );
    const { codes, verdicts } = await check("tasks.mjs", "flyte-secrets.yaml");
    expect(codes.slice(7)).toEqual([
      ["broad", "undeclared", "error"],
      ["broad", "unused", "warning"],
      ["bytes", "unused", "warning"],
    ]);
    expect(verdicts[7]?.message).toBe(
      "it is asked for as a variable (BROAD), and flyte-secrets.yaml does not declare that",
    );
  });

  it("is needed where no other file is named", async () => {
    expect(await at.call("check")).toEqual(
      failure(2, "name files with tasks or pods, or keep a flyte-secrets.yaml in the project"),
    );
  });
});

test("what asks for nothing is all right, and --as-group needs --as", async () => {
  write("tasks.mjs", TASKS.replace(/.*"(?:good|bad)".*\n/g, ""));
  expect(await check("tasks.mjs")).toMatchObject({ exitCode: 0, stderr: "note: nothing in them asks for a secret\n" });
  expect(await at.call("check", "tasks.mjs", "--as-group", "g")).toEqual(failure(2, "--as-group needs --as"));
});

test("a store that can't be opened is no verdict", async () => {
  write("pod.yaml", taskPod([ask("narrow")]));
  mkdirSync(join(at.home, "odd"));
  writeFileSync(join(at.home, "odd/store.db"), "no store at all".repeat(1_000));
  at.env.SECRET_STORE_PATH = join(at.home, "odd");
  const { exitCode, verdicts, stderr } = await check("pod.yaml");
  expect([exitCode, verdicts]).toEqual([1, []]);
  expect(stderr).toMatch(/^error: .*odd/);
  at.env.SECRET_STORE_PATH = join(at.home, "none");
  expect(await check("pod.yaml")).toMatchObject({
    exitCode: 1,
    verdicts: [],
    stderr: expect.stringMatching(/^error: no store in /),
  });
});

describe("by a service", () => {
  it("has the verdicts of its store, without its values", async () => {
    write("tasks.mjs", TASKS);
    const own = await check("tasks.mjs");
    await using server = await at.serve();
    const address = ["--endpoint", server.endpoint, "--insecure"];
    Object.assign(at.env, { FLYTE_SECRETS_TOKEN: server.token, SECRET_STORE_PATH: join(at.home, "none") });
    const asked = await check("tasks.mjs", ...address);
    expect(asked).toEqual(own);
    Object.assign(at.env, { FLYTE_SECRETS_TOKEN: "" });
    const refused = await check("tasks.mjs", ...address);
    expect([refused.exitCode, refused.verdicts]).toEqual([1, []]);
    expect(refused.stderr).toContain("set FLYTE_SECRETS_TOKEN");
  });

  it("is refused where the webhook reads from elsewhere", async () => {
    write("pod.yaml", taskPod([ask("narrow")]));
    const vault = ["--webhook.embeddedSecretManagerConfig.type", "Vault"];
    expect((await check("pod.yaml", "--endpoint", "http://127.0.0.1:9", ...vault)).stderr).toBe(
      "error: --endpoint: by this configuration the webhook reads from Vault, not from a service\n",
    );
    expect(await at.call("check", "pod.yaml", "--insecure")).toEqual(failure(2, "--insecure needs --endpoint"));
  });
});
