import { spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough, type Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { type SecretId, type SecretStore, SecretValue } from "@flyte-secrets/core";
import { createEmbeddedInjector, createGlobalInjector } from "@flyte-secrets/inject";
import { createLookup, createStoreFetcher } from "@flyte-secrets/lookup";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LocalRun, runLocal } from "./run-local.ts";

const TESTDATA = join(import.meta.dirname, "../../testdata/run");
const SCOPE = { org: "flyte", project: "flytesnacks", domain: "development" };
/** Files of sizes that take one line, two, several variables, and one that begins in a variable of another. */
const LARGE: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
  [48_749, 48_750, 48_751, 48_752, 98_250, 200_000, 45_000, 45_000, 45_000].map((size, at) => [
    `large-${at}`,
    randomBytes(size),
  ]),
);
const GLOBAL = { org: "flyte", project: "", domain: "" };

let directory: string;
let store: SecretStore;
/** Found in no process but the task's, and in no output. */
const canary = `canary-${randomUUID()}`;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "run-local-"));
  store = await openEmbeddedStore({ directory: join(directory, "store") });
  const put = (id: SecretId, value: string | Uint8Array) => {
    const secret = typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value);
    return store.create(id, { type: "generic", value: secret });
  };
  await put({ ...GLOBAL, name: "a" }, "a-global");
  await put({ ...SCOPE, project: "", name: "a" }, "a-domain");
  await put({ ...SCOPE, name: "b" }, "b-project");
  await put({ ...GLOBAL, name: "c" }, "c");
  await put({ ...SCOPE, name: "api-key" }, `${canary}-$$`);
  await put({ ...GLOBAL, name: "count" }, "123456");
  for (const [name, bytes] of Object.entries(LARGE)) await put({ ...GLOBAL, name }, bytes);
  await put({ ...GLOBAL, name: "cert.pem" }, Uint8Array.of(0, 255, 10, 7));
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

function setUp(
  name: string,
  rest: Partial<Omit<LocalRun, "injection">> & { injection?: Partial<LocalRun["injection"]> } = {},
) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const run: LocalRun = {
    file: join(TESTDATA, "secrets.mjs"),
    name,
    input: undefined,
    mask: true,
    mount: false,
    verbose: false,
    env: { PATH: process.env.PATH },
    cwd: TESTDATA,
    stdout,
    stderr,
    colors: { stdout: false, stderr: false },
    signal: new AbortController().signal,
    ...rest,
    injection: {
      scope: SCOPE,
      lookup: createLookup({ fetcher: createStoreFetcher(store) }),
      global: { readVariable: () => undefined, readFile: async () => undefined },
      createManagersOver: ({ lookup, global }) => [createGlobalInjector(global), createEmbeddedInjector({ lookup })],
      missingHelp: async (keys, tried) => [`create ${keys}`, tried],
      delivery: "SecretRef",
      escapeVariables: false,
      secretEnvVarPrefix: "_UNION_",
      envVarNaming: "raw",
      ...rest.injection,
    },
  };
  return { run, stdout, stderr };
}

/** The result, parsed, or what was thrown; and everything that was put out. */
async function runToEnd(...args: Parameters<typeof setUp>) {
  const { run, stdout, stderr } = setUp(...args);
  const printed = Promise.all([text(stdout), text(stderr)]);
  const outcome: { result?: unknown; error?: unknown } = await runLocal(run).then(
    (json) => ({ result: json === undefined ? undefined : (JSON.parse(json) as unknown) }),
    (error: unknown) => ({ error }),
  );
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { ...outcome, out, err };
}

describe("a workflow", () => {
  test("runs each task in a process with its own secrets from the narrowest scope, and its own code with none", async () => {
    const { result } = await runToEnd("flow", { file: join(TESTDATA, "tasks.mjs"), input: { n: 1 }, mask: false });
    expect(result).toEqual({
      driver: {},
      results: [{ input: { n: 1 }, A: "a-domain", B: "b-project", C: "c" }, { C: "c" }],
      caught: "outer",
    });
  });

  test("has each task's name before its lines, whole and masked, with a number from a task's second call on", async () => {
    const file = join(TESTDATA, "talking.mjs");
    const { out, err } = await runToEnd("both", { file });
    expect(out.split("\n").sort()).toEqual([
      "",
      "both begins",
      "one | and ends without a line feed",
      "one | one has ***",
      "one#2 | and ends without a line feed",
      "one#2 | one has ***",
      "two | and ends without a line feed",
      "two | two has ***",
    ]);
    expect(err.split("\n").sort()).toEqual(["", "one | one is done", "one#2 | one is done", "two | two is done"]);
    const colored = await runToEnd("both", { file, colors: { stdout: true, stderr: false } });
    expect(colored.out).toContain("\u001b[36mone |\u001b[39m one has ***\n");
    const alone = await runToEnd("one", { file });
    expect([alone.out, alone.err]).toEqual(["one has ***\nand ends without a line feed", "one is done\n"]);
  });

  test("warns once of a value that is too short to be masked", async () => {
    const { result, err } = await runToEnd("flow", { file: join(TESTDATA, "tasks.mjs") });
    expect(result).toEqual({ driver: {}, results: [{ A: "***", B: "***", C: "c" }, { C: "c" }], caught: "outer" });
    expect(err).toBe("warning: the value of c is shorter than 4 bytes and is not masked in the output\n");
  });
});

describe("a task", () => {
  test("finds its files in a directory that only this user can enter, in memory, and they are gone afterwards", async () => {
    const { result } = await runToEnd("filed", { mask: false });
    expect(result).toEqual({
      path: expect.stringMatching(/\/cert\.pem$/),
      directory: expect.stringMatching(
        process.platform === "linux" ? /^\/dev\/shm\/flyte-secrets-run-/ : /flyte-secrets-run-/,
      ),
      modes: ["400", "700"],
      hex: "00ff0a07",
      same: true,
    });
    expect(await leftovers()).toEqual([]);
  });

  test.each([
    "SecretRef",
    "Inline",
  ] as const)("sees the same with delivery %s, but for what Kubernetes does to literals", async (delivery) => {
    const filed = await runToEnd("filed", { injection: { delivery }, mask: false });
    expect(filed.result).toMatchObject({ modes: ["400", "700"], hex: "00ff0a07", same: true });
    const shown = await runToEnd("printing", { injection: { delivery }, mask: false });
    expect(shown.result).toEqual({ key: delivery === "Inline" ? `${canary}-$` : `${canary}-$$` });
    const escaped = await runToEnd("printing", { injection: { delivery, escapeVariables: true }, mask: false });
    expect(escaped.result).toEqual({ key: `${canary}-$$` });
    const masked = await runToEnd("printing", { injection: { delivery } });
    expect(masked).toEqual({ result: { key: "***" }, out: "out ***\n", err: "err ***\n" });
  });

  test.each([
    "SecretRef",
    "Inline",
  ] as const)("finds large files whole, and no others, with delivery %s", async (delivery) => {
    const { result, error, out, err } = await runToEnd("large", { injection: { delivery } });
    expect({ error, out, err }).toEqual({ error: undefined, out: "", err: "" });
    const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
    expect(result).toEqual(Object.fromEntries(Object.entries(LARGE).map(([name, bytes]) => [name, digest(bytes)])));
  });

  test("whose secrets a fault of ours meets shows kind and place of it, and nothing of its message", async () => {
    const lookup = {
      find: () => Promise.reject(new TypeError(`cannot read ${canary}`)),
      findInGroup: () => Promise.reject(new TypeError(`cannot read ${canary}`)),
    };
    const { error, out, err } = await runToEnd("printing", { injection: { lookup } });
    expect(error).toMatchObject({
      code: "internal",
      message: expect.stringMatching(/^task "printing": internal fault, please report it: TypeError/),
    });
    expect(`${error}${out}${err}`).not.toContain(canary);
  });

  test("gets what Global reads from the user's environment under its own name only, and no credentials of ours", async () => {
    const env = {
      PATH: process.env.PATH,
      FLYTE_SECRET_TEAM_PIN: "pin-of-the-team",
      FLYTE_SECRETS_MASTER_KEY: "the-key",
    };
    const global = {
      readVariable: (name: string) => (name === "FLYTE_SECRET_TEAM_PIN" ? "pin-of-the-team" : undefined),
      readFile: async () => undefined,
      envPrefix: "FLYTE_SECRET_",
    };
    const { result } = await runToEnd("global", { env, injection: { global } });
    expect(result).toEqual({ pin: 15, raw: "not here", masterKey: "not here" });
  });

  test("that fails is named with its masked message and the place in its code", async () => {
    const { error, err } = await runToEnd("leaking");
    expect(error).toMatchObject({
      code: "task_failed",
      message: 'task "leaking" threw Error: cannot log in with ***',
      details: [expect.stringMatching(/^ {4}at secrets\.mjs:\d+:\d+$/)],
    });
    expect(err).toBe("");
  });

  test("is named with its secrets and their scopes where the user wants to know", async () => {
    const { err } = await runToEnd("flow", { file: join(TESTDATA, "tasks.mjs"), verbose: true, mask: false });
    expect(err.split("\n").sort()).toEqual([
      "",
      "failing: c from global scope",
      "first: a from domain development",
      "first: b from project flytesnacks, domain development",
      "first: c from global scope",
      "second: c from global scope",
    ]);
  });

  test("gives a result that is JSON also where a whole number or object is masked", async () => {
    const { result } = await runToEnd("counting");
    expect(result).toBe('{"count":***}');
  });

  test("whose secret is nowhere is refused as in a cluster, with the command that creates it", async () => {
    const { error } = await runToEnd("first", {
      file: join(TESTDATA, "tasks.mjs"),
      injection: { scope: { ...SCOPE, project: "other" } },
    });
    expect(error).toMatchObject({
      code: "not_injected",
      message: 'task "first": secret "b" was not found',
      details: [
        "create b",
        expect.stringMatching(
          /^none of the secret managers injected secret \[b\]: Global: .*; Embedded: secret not found/,
        ),
      ],
    });
  });

  test("that the file does not have is not found", async () => {
    const { error } = await runToEnd("print");
    expect(error).toMatchObject({
      code: "not_found",
      message: expect.stringMatching(/^secrets\.mjs has no task or workflow "print"; it has /),
    });
  });
});

describe("while a task runs", () => {
  test("its values are in its own environment and in no other process's, argument or output; killed, it leaves no file", async () => {
    const { run, stdout, stderr } = setUp("staying");
    const printed = Promise.all([text(stdout.pipe(new PassThrough())), text(stderr)]);
    const outcome = runLocal(run).catch((error: unknown) => error);
    const { pid, cert } = await readStart(stdout);
    expect(await readFile(cert)).toEqual(Buffer.of(0, 255, 10, 7));
    if (process.platform === "linux") expect(await processesWith(canary)).toEqual([`${pid} environ`]);
    process.kill(pid, "SIGKILL");
    expect(await outcome).toMatchObject({ code: "task_failed", message: expect.stringContaining("ended by SIGKILL") });
    expect(existsSync(dirname(cert))).toBe(false);
    expect(await leftovers()).toEqual([]);
    stdout.end();
    stderr.end();
    expect((await printed).join("")).not.toContain(canary);
  });

  test("an abort ends it and the workflow's process, and leaves no file", async () => {
    const controller = new AbortController();
    const { run, stdout } = setUp("staying", { signal: controller.signal });
    const outcome = runLocal(run).catch((error: unknown) => error);
    const { pid, cert } = await readStart(stdout);
    controller.abort();
    expect(await outcome).toMatchObject({ code: "canceled" });
    expect([await isRunning(pid), existsSync(cert)]).toEqual([false, false]);
  });

  test("a kill of the runner ends its children, and the next run sweeps its files", async () => {
    const runner = spawn(
      process.execPath,
      [join(TESTDATA, "run-and-wait.ts"), join(directory, "store"), setUp("").run.file, "staying"],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const { pid, cert } = await readStart(runner.stdout);
    runner.kill("SIGKILL");
    // The task holds the other end of its output's pipe: it closes when the last of them has ended.
    await once(runner, "close");
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect(existsSync(cert)).toBe(true);
    await runToEnd("printing");
    expect(existsSync(cert)).toBe(false);
  });
});

async function readStart(output: Readable): Promise<{ pid: number; cert: string }> {
  for await (const line of createInterface({ input: output })) return JSON.parse(line);
  throw new Error("the task has said nothing");
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // An orphan that nobody waits for keeps its number as a zombie.
  return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, "utf8").catch(() => ""));
}

/** Directories of runs of this very process. */
async function leftovers(): Promise<string[]> {
  const root = process.platform === "linux" ? "/dev/shm" : tmpdir();
  return (await readdir(root)).filter((name) => name.includes(`-${process.pid}-`));
}

/** Every process of this machine, this one too, whose arguments or environment contain `text` or its base64 or hex. */
async function processesWith(text: string): Promise<string[]> {
  const forms = [text, Buffer.from(text).toString("base64").slice(0, -4), Buffer.from(text).toString("hex")];
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const file of ["cmdline", "environ"]) {
      const content = await readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "");
      if (forms.some((form) => content.includes(form))) found.push(`${pid} ${file}`);
    }
  }
  return found;
}
