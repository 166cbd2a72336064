import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, loadConfig } from "@flyte-secrets/config";

/** What a chart's objects have of a ConfigMap. */
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * What the program reads in a pod of that component (`service` or `webhook`), by the ConfigMap that the chart makes.
 */
export function chartConfig(manifests: readonly Manifest[], component: string): Config {
  const found = manifests.find(
    ({ kind, metadata }) => kind === "ConfigMap" && metadata.name === `flyte-secrets-${component}`,
  );
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-chart-"));
  for (const [file, text] of Object.entries(found?.data ?? {})) writeFileSync(join(directory, file), text);
  try {
    return loadConfig({ files: [join(directory, "*.yaml")], env: {}, flags: {}, home: "/", cwd: "/" });
  } finally {
    rmSync(directory, { recursive: true });
  }
}
