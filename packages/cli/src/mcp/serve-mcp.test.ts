import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import {
  ElicitationCompleteNotificationSchema,
  type ElicitRequest,
  ElicitRequestSchema,
  type ElicitResult,
} from "@modelcontextprotocol/sdk/types.js";
import fc from "fast-check";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createMask } from "../run/mask/mask.ts";
import { CLI } from "../testing/run-cli.ts";
import { useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

const CANARIES = {
  text: "canary-Text+of/this?test",
  other: "canary-of-another-project",
  lines: "canary line one\ncanary line two\n",
  password: "canary-of-a-registry",
  variable: "canary-of-the-environment",
} as const;
const BINARY = Uint8Array.from({ length: 40 }, (_, at) => 255 - at * 5);

beforeEach(async () => {
  await at.keep({
    "dev/shop/api-key": CANARIES.text,
    "prod/other/api-key": CANARIES.other,
    key: CANARIES.lines,
    binary: BINARY,
  });
  const auths = { "ghcr.io": { username: "bot", password: CANARIES.password } };
  await at.keep({ "dev/registry": JSON.stringify({ auths }) }, "image_pull");
  at.env.FLYTE_SECRET_GROUP_KEY = CANARIES.variable;
});

type Elicit = (request: ElicitRequest["params"]) => ElicitResult | Promise<ElicitResult>;

/** A client of a server that has been started as agents start it. */
async function connect(args: readonly string[] = [], elicit?: Elicit) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [CLI, "mcp", ...args],
    env: at.env,
    cwd: at.home,
    stderr: "pipe",
  });
  /** All that the server has written. */
  let output = "";
  transport.stderr?.on("data", (chunk) => {
    output += chunk;
  });
  const completed: string[] = [];
  const client = new Client(
    { name: "client-of-this-test", version: "1" },
    { capabilities: elicit === undefined ? {} : { elicitation: { url: {} } } },
  );
  if (elicit !== undefined) client.setRequestHandler(ElicitRequestSchema, ({ params }) => elicit(params));
  client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
    completed.push(params.elicitationId);
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const receive = transport.onmessage;
  transport.onmessage = (message) => {
    output += JSON.stringify(message);
    receive?.(message);
  };
  const call = async (name: string, args: Record<string, unknown> = {}) => {
    const { structuredContent, isError } = await client.callTool({ name, arguments: args });
    return { ...(structuredContent as { ok: boolean; result: unknown; messages: string[] }), isError };
  };
  return { client, call, completed, output: () => output };
}

describe("the tools of mcp", () => {
  it("are these, with these parameters", async () => {
    const { client } = await connect();
    const { tools } = await client.listTools();
    const parameters = tools.map(({ name, inputSchema }) => [name, Object.keys(inputSchema.properties ?? {}).sort()]);
    expect(Object.fromEntries(parameters)).toEqual({
      list_secrets: ["domain", "filter", "limit", "project"],
      explain_secrets: ["domain", "file", "key", "project", "task"],
      check_secrets: ["domain", "files", "project"],
      request_secret: ["domain", "name", "project", "reason"],
    });
    expect(tools.map(({ inputSchema }) => inputSchema.additionalProperties)).toEqual([false, false, false, false]);
  });

  it("list secrets by name and scope, within the scope of the command line unless the call names another", async () => {
    const names = ({ result }: { result: unknown }) =>
      (result as { id: { name: string } }[]).map((one) => JSON.stringify(one.id));
    const { call } = await connect(["-d", "dev"]);
    expect(names(await call("list_secrets"))).toHaveLength(2);
    expect(names(await call("list_secrets", { domain: "prod" }))).toHaveLength(1);
    expect(names(await call("list_secrets", { domain: "" }))).toHaveLength(5);
    const limited = await call("list_secrets", { domain: "", limit: 2 });
    expect([names(limited).length, limited.messages]).toEqual([2, ["note: there are more than these 2 (--limit)"]]);
    expect(names(await call("list_secrets", { domain: "", filter: "api-*" }))).toHaveLength(2);
  });

  it("explain where a request would be served, and say what is missing", async () => {
    const { call } = await connect(["-p", "shop", "-d", "dev"]);
    const found = await call("explain_secrets", { key: "api-key" });
    expect([found.ok, JSON.stringify(found.result).includes("Embedded")]).toEqual([true, true]);
    const missing = await call("explain_secrets", { key: "api-kez" });
    expect([missing.ok, missing.isError]).toEqual([false, true]);
    expect(missing.messages[0]).toMatch(/^error: /);
    const both = await call("explain_secrets", { key: "a", file: "b" });
    expect(both.messages).toEqual(["name either a key or a file"]);
  });

  it("check what a project needs", async () => {
    const needs = "secrets:\n  - key: api-key\n  - key: lacking\n";
    writeFileSync(join(at.home, "flyte-secrets.yaml"), needs);
    const { call } = await connect(["-p", "shop", "-d", "dev"]);
    const { ok, result } = await call("check_secrets", { files: ["flyte-secrets.yaml"] });
    expect([ok, JSON.stringify(result)]).toEqual([false, expect.stringMatching(/api-key.*lacking/s)]);
  });

  it("refuse what they don't know, a value before all, without repeating it", async () => {
    const { client, output } = await connect();
    for (const name of ["list_secrets", "explain_secrets", "check_secrets", "request_secret"]) {
      const result = await client
        .callTool({ name, arguments: { name: "new", key: "new", value: CANARIES.text } })
        .catch(() => ({ isError: true }));
      expect(result.isError, name).toBe(true);
    }
    expect(output()).not.toContain(CANARIES.text);
  });

  it("have no value in any answer, error or log, in whatever form, for any arguments", {
    timeout: 120_000,
  }, async () => {
    writeFileSync(join(at.home, ".env"), `API_KEY=${CANARIES.text}\n`);
    writeFileSync(join(at.home, "secret.yaml"), `kind: Secret\nstringData: { a: "${CANARIES.text}" }\n`);
    writeFileSync(join(at.home, "broken.yaml"), `a: [ "${CANARIES.text}"\nb: ${CANARIES.other}: x\n`);
    writeFileSync(join(at.home, "pod.json"), JSON.stringify({ kind: "Pod", spec: { containers: [CANARIES.text] } }));
    writeFileSync(join(at.home, "text.yaml"), CANARIES.lines);
    const { client, call, output } = await connect();
    const { tools } = await client.listTools();
    const names = "api-key api-kez key binary registry GROUP/KEY shop other dev prod".split(" ");
    const word = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...names) },
      fc.constantFrom(".env", "secret.yaml", "broken.yaml", "pod.json", "text.yaml", "no.yaml", ".", "store/store.db"),
      fc.constantFrom("--with-values", "-f.env", "--help", "-", "*", "\u001b[2J", "x".repeat(300)),
      fc.string({ unit: "binary", maxLength: 20 }),
    );
    const argument = {
      string: word,
      array: fc.array(word, { maxLength: 3 }),
      integer: fc.integer({ min: 0, max: 250 }),
    } as const;
    const calls = tools.map(({ name, inputSchema }) => {
      const properties = Object.entries(inputSchema.properties ?? {}) as [string, { type: keyof typeof argument }][];
      const members = Object.fromEntries(properties.map(([key, { type }]) => [key, argument[type]]));
      return fc.tuple(fc.constant(name), fc.record(members, { requiredKeys: [] }));
    });
    const mask = createMask();
    for (const value of Object.values(CANARIES)) mask.add(SecretValue.fromText(value));
    mask.add(SecretValue.fromBytes(BINARY));
    let served = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(...calls), async ([name, args]) => {
        const before = output().length;
        const answer = await call(name, args).catch(() => undefined);
        if (answer?.ok) served += 1;
        const written = output().slice(before);
        expect(mask.text(written) === written, written).toBe(true);
      }),
      { numRuns: 150 },
    );
    expect(served).toBeGreaterThan(0);
    for (const key of ["api-key", "key", "registry"]) {
      const answer = await call("explain_secrets", { key, project: "shop", domain: "dev" });
      expect([answer.ok, key]).toEqual([true, key]);
    }
    for (const file of ["secret.yaml", "broken.yaml", "pod.json", "text.yaml"]) {
      await call("explain_secrets", { file });
      await call("check_secrets", { files: [file] });
    }
    expect(mask.text(output()) === output()).toBe(true);
  });

  it("cut and escape what others have written", async () => {
    const pods = Array.from({ length: 3 }, (_, at) => ({
      kind: "Pod",
      metadata: { name: `\u202e${"x".repeat(5_000)}${at}` },
    }));
    writeFileSync(join(at.home, "pods.json"), JSON.stringify({ kind: "List", items: pods }));
    const { call } = await connect();
    const text = JSON.stringify(await call("explain_secrets", { file: "pods.json" }));
    expect([text.length < 5_000, text.includes("\u202e")]).toEqual([true, false]);
  });
});

describe("request_secret", () => {
  /** Enters a value as a browser does. */
  async function enter(url: string, fields: Record<string, string>) {
    const { origin } = new URL(url);
    const cookie = (await fetch(url)).headers.get("set-cookie")?.split(";")[0] ?? "";
    return await fetch(url, { method: "POST", headers: { cookie, origin }, body: new URLSearchParams(fields) });
  }
  const NEW = { name: "new-key", project: "shop", domain: "dev" };

  it("has the person enter the value, which reaches the store and not the client", async () => {
    const asked: ElicitRequest["params"][] = [];
    const { call, completed, output } = await connect([], async (params) => {
      asked.push(params);
      if (params.mode === "url") void enter(params.url, { value: CANARIES.other });
      return { action: "accept" };
    });
    const { ok, result, messages } = await call("request_secret", { ...NEW, reason: "to train" });
    expect([ok, result]).toEqual([true, { status: "created" }]);
    expect(messages).toEqual(["the person has created secret new-key (project shop, domain dev)"]);
    expect(await at.kept("new-key", "dev", "shop")).toBe(CANARIES.other);
    expect(asked).toMatchObject([{ mode: "url", message: expect.stringContaining("new-key") }]);
    await expect.poll(() => completed).toEqual(asked.map((one) => ("elicitationId" in one ? one.elicitationId : "")));
    expect(output()).not.toContain(CANARIES.other);
  });

  it("replaces a value only where the person confirms it", async () => {
    let status: number | undefined;
    const { call } = await connect([], async (params) => {
      if (params.mode !== "url") return { action: "decline" };
      const cookie = (await fetch(params.url)).headers.get("set-cookie")?.split(";")[0] ?? "";
      const headers = { cookie, origin: new URL(params.url).origin };
      const post = (fields: Record<string, string>) =>
        fetch(params.url, { method: "POST", headers, body: new URLSearchParams(fields) });
      status = (await post({ value: "a-new-value" })).status;
      expect(await at.kept("api-key", "dev", "shop")).toBe(CANARIES.text);
      await post({ value: "a-new-value", replace: "yes" });
      return { action: "accept" };
    });
    const { result } = await call("request_secret", { ...NEW, name: "api-key" });
    expect([status, result]).toEqual([409, { status: "replaced" }]);
    expect(await at.kept("api-key", "dev", "shop")).toBe("a-new-value");
  });

  it.each([
    "decline",
    "cancel",
  ] as const)("ends where the person chooses to %s, and the page with it", async (action) => {
    let url = "";
    const { call } = await connect([], (params) => {
      if (params.mode === "url") url = params.url;
      return { action };
    });
    expect((await call("request_secret", NEW)).result).toEqual({ status: "declined" });
    await expect(fetch(url)).rejects.toThrow();
  });

  it("gives the command to type where the client can't show a page", async () => {
    const { call } = await connect(["--local"]);
    expect(await call("request_secret", NEW)).toMatchObject({
      result: { status: "not shown" },
      messages: [
        expect.stringMatching(/^this client can't show a page\./),
        "flyte-secrets create secret new-key --project=shop --domain=dev --local",
      ],
    });
  });

  it("refuses a name that no secret can have, and a project without a domain", async () => {
    const { call } = await connect([], () => ({ action: "accept" }));
    expect((await call("request_secret", { name: "a b" })).messages[0]).toMatch(/name/);
    expect((await call("request_secret", { name: "a", project: "shop" })).messages[0]).toMatch(/--domain/);
  });
});

describe("the server", () => {
  it("ends when the client closes its input, and when a message never ends", async () => {
    const start = () => {
      const child = spawn(process.execPath, [CLI, "mcp"], { env: at.env, stdio: ["pipe", "ignore", "pipe"] });
      child.stdin.on("error", () => {});
      return child;
    };
    const closed = start();
    closed.stdin.end();
    expect(await once(closed, "exit")).toEqual([0, null]);
    const endless = start();
    endless.stdin.write("x".repeat(2 << 20));
    expect(await once(endless, "exit")).toEqual([1, null]);
  });
});
