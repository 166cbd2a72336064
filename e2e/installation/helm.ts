import { join } from "node:path";
import { type GoProgram, goProgram, requireGoProgram } from "../support/go-program.ts";
import type { Requirement } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const HELM: GoProgram = { name: "helm", path: "helm.sh/helm/v4/cmd/helm", version: "v4.3.1" };

export const CHART = join(import.meta.dirname, "../../deploy/helm/flyte-secrets");

/** The program that {@link requireHelm} builds. */
export const HELM_PROGRAM = goProgram(HELM);

/** Builds helm into the user's cache unless it is there: about five minutes of one core, once. */
export function requireHelm(): Requirement {
  return requireGoProgram(HELM);
}

/** What a Helm command is given beside its arguments. */
export interface HelmInput {
  /** Values, in the form of a file of them. */
  readonly values?: object;
  readonly kubeconfig?: string;
}

/**
 * Runs helm and gives what it printed; throws with its error output when it fails. It has no home, and so none of its
 * user's settings.
 */
export async function helm(args: readonly string[], { values, kubeconfig }: HelmInput = {}): Promise<string> {
  const env = { HOME: "/nonexistent", ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }) };
  const given = values === undefined ? [] : ["--values", "-"];
  const { exitCode, stdout, stderr } = await runProgram(HELM_PROGRAM, [...args, ...given], {
    env,
    // JSON is YAML.
    input: JSON.stringify(values ?? {}),
  });
  if (exitCode !== 0) throw new Error(`helm ${args.join(" ")}: ${stderr}`);
  return stdout;
}
