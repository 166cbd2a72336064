import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { INJECT_LABEL } from "@flyte-secrets/core";
import type { Pod } from "@flyte-secrets/inject";
import type { Image } from "./kubelet.ts";
import type { PythonSdk } from "./python-sdks.ts";
import { NAMESPACE } from "./secret-managers.ts";

/** What of a task template, as the SDK serialises it, becomes a pod. */
export interface Template {
  readonly args: readonly string[];
  readonly annotations: readonly string[];
}

/** The pod that Flyte's backend makes of a template, with the files that the task is given in `directory`. */
export function toTaskPod({ args, annotations }: Template, directory: string): Pod {
  const values: Record<string, string> = {
    input: join(directory, "inputs.pb"),
    outputPrefix: join(directory, "outputs"),
    rawOutputDataPrefix: join(directory, "raw"),
    checkpointOutputPrefix: join(directory, "checkpoints"),
    runName: "r",
    actionName: "a0",
  };
  mkdirSync(join(directory, "outputs"));
  writeFileSync(join(directory, "inputs.pb"), "");
  const variables = {
    FLYTE_INTERNAL_EXECUTION_PROJECT: "p",
    FLYTE_INTERNAL_EXECUTION_DOMAIN: "development",
    _U_ORG_NAME: "flyte",
    _U_RUN_BASE: join(directory, "run"),
  };
  const container = {
    name: "main",
    image: "task",
    args: args.map((word) => word.replace(/\{\{\.(\w+)\}\}/g, (_, name: string) => values[name] ?? "")),
    env: Object.entries(variables).map(([name, value]) => ({ name, value })),
  };
  return {
    metadata: {
      namespace: NAMESPACE,
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project: "p", domain: "development" },
      annotations: Object.fromEntries(annotations.map((value, index) => [`flyte.secrets/s${index}`, value])),
    },
    spec: { containers: [container] },
  };
}

/** An image with the SDK and the tasks beside this file. */
export function taskImage(sdk: PythonSdk, home: string): Image {
  const workingDirectory = import.meta.dirname;
  const variables = {
    PATH: `${sdk.programs}:/usr/bin:/bin`,
    HOME: home,
    PYTHONPATH: workingDirectory,
    PYTHONDONTWRITEBYTECODE: "1",
  };
  return { variables, workingDirectory };
}
