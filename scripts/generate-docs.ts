// Writes the pages under docs/ that are derived from code. With --check nothing is written, and a page that differs from what
// the code says ends it with exit code 1.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderCliPage } from "./cli-page.ts";
import { renderConfigurationPage } from "./configuration-page.ts";
import { renderErrorsPage } from "./errors-page.ts";

interface GeneratedPage {
  /** Below the repository's root. */
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

const PAGES: readonly GeneratedPage[] = [
  { path: "docs/cli.md", render: renderCliPage },
  { path: "docs/configuration.md", render: renderConfigurationPage },
  { path: "docs/errors.md", render: renderErrorsPage },
];

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");

for (const { path, render } of PAGES) {
  const file = join(root, path);
  const wanted = await render();
  if (wanted === (await readFile(file, "utf8").catch(() => undefined))) continue;
  if (check) {
    console.error(`${path} differs from the code: run npm run docs`);
    process.exitCode = 1;
  } else {
    await writeFile(file, wanted);
    console.log(`${path} written`);
  }
}
