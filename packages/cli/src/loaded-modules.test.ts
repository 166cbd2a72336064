import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";

const program = join(import.meta.dirname, "../bin/flyte-secrets.js");

// Writes the address of each module that is loaded to standard error.
const HOOK = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });`;
const PACKAGE = /.*\/(?:packages|node_modules)\/((?:@[^/]+\/)?[^/]+)\//;

/** The packages that a command loads until it ends, or until it prints how to stop it. */
async function packagesLoadedBy(home: string, ...args: string[]): Promise<Set<string>> {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const child = spawn(process.execPath, ["--import", hook, program, ...args], {
    env: { PATH: process.env.PATH, HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.on("data", (bytes) => {
    if (String(bytes).includes("Stop: Ctrl-C")) child.kill("SIGTERM");
  });
  return new Set((await text(child.stderr)).split("\n").flatMap((url) => PACKAGE.exec(url)?.[1] ?? []));
}

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-modules-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  return home;
}

test("--help loads the commands' descriptions and nothing that carries one out, and --version not even these", async () => {
  expect([...(await packagesLoadedBy(makeHome(), "--version"))]).toEqual(["cli"]);
  const loaded = await packagesLoadedBy(makeHome(), "--help");
  expect([...loaded].sort()).toEqual(["cli", "commander", "core", "fast-string-truncated-width"]);
});

const WEBHOOK = [
  "webhook --port 0 --webhook.embeddedSecretManagerConfig.delivery=Inline",
  "--executor.healthProbeBindAddress=127.0.0.1:0 --executor.metricsBindAddress=127.0.0.1:0",
].join(" ");

/** Packages by the command that must not load them. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  "create secret a --local --from-file": ["webhook", "inject", "lookup", "prom-client", "yaml"],
  "get secret --local": ["webhook", "inject", "lookup", "prom-client", "yaml"],
  "exec -s a=A -- true": ["service", "pino", "prom-client", "esbuild", "@peculiar/x509", "tsx", "yaml"],
  "run tasks.mjs plain": ["service", "pino", "prom-client", "esbuild", "@peculiar/x509", "yaml"],
  [WEBHOOK]: ["service", "sdk", "@connectrpc/connect", "@bufbuild/protobuf", "esbuild", "yaml"],
  "serve --port 0": ["webhook", "inject", "lookup", "jose", "@peculiar/x509", "esbuild", "yaml"],
};

test("commands load no package that only others need", async () => {
  const home = makeHome();
  const value = join(home, "value");
  writeFileSync(value, "not a secret");
  // In this order: `get` reads the store that `create` has made.
  for (const [command, names] of Object.entries(LEFT_OUT)) {
    const args = command.replace("tasks.mjs", join(import.meta.dirname, "../testdata/run/tasks.mjs")).split(" ");
    const loaded = await packagesLoadedBy(home, ...args, ...(command.endsWith("--from-file") ? [value] : []));
    expect(loaded, command).toContain("store");
    expect(
      names.filter((name) => loaded.has(name)),
      command,
    ).toEqual([]);
  }
});
