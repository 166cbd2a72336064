import { execFile } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const PAGES = ["README.md", "docs/sdk.md", "docs/local-runs.md", "packages/sdk/README.md"];

test("the examples of the pages for those who write tasks compile, and those without a server run", async () => {
  const pages = await Promise.all(PAGES.map((page) => readFile(join(root, page), "utf8")));
  const examples = [...pages.join("\n").matchAll(/^```ts\n(.*?)^```/gms)].map(([, code = ""]) => code);
  expect(examples.length).toBeGreaterThan(5);

  // Inside the checkout, where the packages are found by their names.
  const directory = join(root, ".vitest/docs-examples");
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  for (const [index, code] of examples.entries()) await writeFile(join(directory, `example-${index}.ts`), code);
  const compilerOptions = { outDir: "out", rootDir: ".", skipLibCheck: false, target: "es2022", types: ["node"] };
  const settings = { extends: "../../tsconfig.base.json", compilerOptions: { ...compilerOptions, composite: false } };
  await writeFile(join(directory, "package.json"), '{ "type": "module" }');
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(settings));
  const compiled = await run(join(root, "node_modules/.bin/tsc"), ["-p", directory]).catch((error: object) => error);
  expect(compiled).toMatchObject({ stdout: "" });

  for (const [index, code] of examples.entries()) {
    if (!code.includes("/remote")) await import(pathToFileURL(join(directory, `out/example-${index}.js`)).href);
  }
});
