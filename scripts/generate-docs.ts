// Writes the files that are derived from code: pages and pictures under docs/, and the schema of the Helm chart's
// values. With --check nothing is written, and a file that differs from what the code says ends it with exit code 1.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PROJECT_FILE_SCHEMA } from "@flyte-secrets/cli";
import { API_PAGES } from "./api-pages.ts";
import { renderCliPage } from "./cli-page.ts";
import { renderConfigurationPage } from "./configuration-page.ts";
import { renderDecisionsPage } from "./decisions-page.ts";
import { DIAGRAMS } from "./diagram.ts";
import { renderErrorsPage } from "./errors-page.ts";
import { renderDashboard } from "./monitoring/grafana-dashboard.ts";
import { renderDemo } from "./recording.ts";
import { renderValuesSchema } from "./values-schema.ts";

interface GeneratedFile {
  /** Below the repository's root. */
  readonly path: string;
  readonly render: () => string | Promise<string>;
}

const FILES: readonly GeneratedFile[] = [
  { path: "docs/cli.md", render: renderCliPage },
  { path: "docs/configuration.md", render: renderConfigurationPage },
  { path: "docs/decisions/README.md", render: renderDecisionsPage },
  { path: "docs/demo.svg", render: renderDemo },
  ...API_PAGES,
  ...DIAGRAMS,
  {
    path: "packages/cli/schema/flyte-secrets.json",
    render: () => `${JSON.stringify(PROJECT_FILE_SCHEMA, null, 2)}\n`,
  },
  { path: "docs/errors.md", render: renderErrorsPage },
  { path: "deploy/helm/flyte-secrets/values.schema.json", render: renderValuesSchema },
  { path: "deploy/helm/flyte-secrets/files/dashboard.json", render: renderDashboard },
];

const root = join(import.meta.dirname, "..");
const check = process.argv.includes("--check");

for (const { path, render } of FILES) {
  const file = join(root, path);
  const wanted = await render();
  if (wanted === (await readFile(file, "utf8").catch(() => undefined))) continue;
  if (check) {
    console.error(`${path} differs from the code: run npm run docs`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, wanted);
    console.log(`${path} written`);
  }
}
