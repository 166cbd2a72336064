import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleCommand } from "./bundle-command.ts";
import { root } from "./published-packages.ts";

const TASKS = join(root, "packages/cli/testdata/run");
let directory: string;
let home: string;

beforeAll(async () => {
  // Where it finds what stays in node_modules.
  directory = await mkdtemp(join(root, "node_modules/.bundled-"));
  home = await mkdtemp(join(tmpdir(), "flyte-secrets-bundled-"));
  await bundleCommand(directory);
});
afterAll(() => Promise.all([directory, home].map((each) => rm(each, { recursive: true }))));

/** Runs the bundled command in the home directory and returns its standard output. */
async function type(...args: readonly string[]): Promise<string> {
  const program = join(directory, "bin/flyte-secrets.js");
  const options = { cwd: home, env: { PATH: process.env.PATH, HOME: home } };
  return (await promisify(execFile)(process.execPath, [program, ...args], options)).stdout;
}

test("the bundled command keeps and lists secrets, and has the version of its package", async () => {
  expect(await type("--version")).toBe("0.1.0\n");
  const value = join(home, "value");
  await writeFile(value, "value-of-this-test");
  await type("create", "secret", "api-key", "--local", "--from-file", value);
  expect(await type("get", "secret", "--local", "-o", "yaml")).toContain("name: api-key");
});

test("it runs tasks in JavaScript and in TypeScript with their secrets, each in a process of its own", async () => {
  expect(await type("run", join(TASKS, "secrets.mjs"), "printing")).toContain("***");
  await expect(type("run", join(TASKS, "tasks.ts"), "decorated")).resolves.not.toBe("");
});

test("it loads Node's http without fetch, which is a fifth of a start", async () => {
  const report = 'process.on("exit", () => console.log(process.moduleLoadList.filter((name) => /undici/.test(name))))';
  const hook = `data:text/javascript,${encodeURIComponent(report)}`;
  const args = ["--import", hook, join(directory, "bin/flyte-secrets.js"), "run", join(TASKS, "tasks.mjs"), "plain"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { PATH: process.env.PATH, HOME: home } });
  expect(stdout.split("\n").slice(1)).toEqual(["[]", ""]);
});

test("it starts itself as a server with a webhook, which makes a certificate and writes traces", async () => {
  const traces = join(home, "traces");
  const settings = [
    ["webhook.enabled", "true"],
    ["webhook.listenPort", "0"],
    ["webhook.embeddedSecretManagerConfig.delivery", "Inline"],
    ["executor.healthProbeBindAddress", "127.0.0.1:0"],
    ["executor.metricsBindAddress", "127.0.0.1:0"],
    ["otel.type", "file"],
    ["otel.file.filename", traces],
  ].map(([name, value]) => `--${name}=${value}`);
  expect(await type("serve", "--detach", "--port", "0", ...settings)).toContain("Listening on");
  try {
    expect(await type("get", "secret")).toContain("api-key");
  } finally {
    await type("serve", "--stop");
  }
  expect(await readFile(traces, "utf8")).toContain("ListSecrets");
});
