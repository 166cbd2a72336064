import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

/** The files that a new process loads for an import of the built package. */
function loadedBy(specifier: string): string[] {
  const code = `
    import { registerHooks } from "node:module";
    const urls = [];
    registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
    await import(${JSON.stringify(specifier)});
    console.log(JSON.stringify(urls));`;
  const args = ["--input-type=module", "--eval", code];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" }));
}

const heavy = /\/(idl|@connectrpc|@bufbuild|yaml)\//;

test("a task loads nothing of what talks to a server", () => {
  expect(loadedBy("@flyte-secrets/sdk").filter((url) => heavy.test(url))).toEqual([]);
  expect(loadedBy("@flyte-secrets/sdk/remote").some((url) => heavy.test(url))).toBe(true);
});
