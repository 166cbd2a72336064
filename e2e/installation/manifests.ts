import { join } from "node:path";
import { CHART, helm } from "./helm.ts";

/** Where the plain manifests are: one file for each component. */
export const MANIFESTS = join(import.meta.dirname, "../../deploy/manifests");

const HEAD = "# Written from the Helm chart by `npm run manifests`; namespace flyte has to be there.\n";

/**
 * The plain manifests by the name of their file: the chart with its defaults, either component alone, in namespace
 * flyte.
 */
export async function renderManifests(): Promise<Map<string, string>> {
  const render = async (component: string, other: string) => {
    const values = { [other]: { enabled: false } };
    const text = await helm(["template", "flyte-secrets", CHART, "--namespace", "flyte", "--skip-tests"], { values });
    // Helm ends each of its own documents with an empty line.
    return [
      `${component}.yaml`,
      HEAD +
        text
          .replaceAll(/\n+---/g, "\n---")
          .trimEnd()
          .concat("\n"),
    ] as const;
  };
  return new Map([await render("service", "webhook"), await render("webhook", "service")]);
}
