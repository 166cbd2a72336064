import { quote, type SecretRequest } from "@flyte-secrets/core";
import { processEnvironment } from "./environment.ts";
import { isStartedByRunner } from "./task-runtime.ts";

let warned = false;

/**
 * Warns, once in a process, that a task is called whose variables nothing sets: `node file.ts` runs its body as a plain
 * function. Silent where a runner or a cluster has started the process, and where the variables are set by other means, as
 * in a test.
 */
export function warnOutsideRunner(requests: readonly SecretRequest[]): void {
  const { variables, warn = (message) => process.emitWarning(message) } = processEnvironment();
  if (warned || isStartedByRunner(variables)) return;
  const unset = requests.find(({ envVar }) => envVar !== "" && variables[envVar] === undefined);
  if (unset === undefined) return;
  warned = true;
  warn(
    `Nothing has set the variable ${unset.envVar} for secret ${quote(unset.key)}: ` +
      "a task gets its secrets when flyte-secrets run FILE TASK runs it.",
  );
}
