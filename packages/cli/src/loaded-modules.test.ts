import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const program = join(import.meta.dirname, "../bin/flyte-secrets.js");

// Writes the address of each module that is loaded to standard error.
const HOOK = `import { registerHooks } from "node:module";
registerHooks({ load: (url, context, next) => { process.stderr.write(url + "\\n"); return next(url, context); } });`;

/** The packages of ours that a command loads. */
function packagesLoadedBy(...args: string[]): Set<string> {
  const hook = `data:text/javascript,${encodeURIComponent(HOOK)}`;
  const { stderr } = spawnSync(process.execPath, ["--import", hook, program, ...args], { encoding: "utf8" });
  return new Set([...stderr.matchAll(/\/packages\/([a-z]+)\/dist\//g)].map(([, name = ""]) => name));
}

test("a command loads no package that only other commands need", () => {
  const loaded = packagesLoadedBy("--version");
  expect(loaded).toContain("cli");
  for (const name of ["inject", "webhook", "service", "kube"]) expect(loaded).not.toContain(name);
});
