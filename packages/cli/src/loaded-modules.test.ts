import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const program = join(import.meta.dirname, "../bin/flyte-secrets.js");

// Writes the address of each module that is loaded to standard error.
const HOOK = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });`;

/** The packages that a command loads for a user with this home directory. */
function packagesLoadedBy(home: string, ...args: string[]): Set<string> {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const { stderr } = spawnSync(process.execPath, ["--import", hook, program, ...args], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: home },
  });
  return new Set([...stderr.matchAll(/\/(?:packages|node_modules)\/([a-z-]+)\//g)].map(([, name = ""]) => name));
}

test("a command loads no package that only other commands need", () => {
  const loaded = packagesLoadedBy(tmpdir(), "--version");
  expect(loaded).toContain("cli");
  for (const name of ["inject", "webhook", "service", "kube"]) expect(loaded).not.toContain(name);
});

test("a command that opens the store loads no metrics library", () => {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-modules-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, "value");
  writeFileSync(file, "not a secret");
  const loaded = packagesLoadedBy(directory, "create", "secret", "a", "--from-file", file, "--local");
  expect(loaded).toContain("service");
  expect(loaded).not.toContain("prom-client");
});
