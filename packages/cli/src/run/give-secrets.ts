import type { Writable } from "node:stream";
import { escapeControls } from "@flyte-secrets/core";
import type { InjectionRecord } from "@flyte-secrets/inject";
import type { TaskCall } from "@flyte-secrets/sdk";
import { describeScope } from "../options/secret-options.ts";
import { emulateKubelet } from "./emulate-kubelet.ts";
import { type InjectionSettings, injectTask } from "./inject-task.ts";
import type { Mask } from "./mask/mask.ts";
import { writeSecretFile } from "./private-directory.ts";
import { type ChildEnvironment, childEnvironment } from "./run-child.ts";

export interface GiveSecretsOptions {
  readonly injection: InjectionSettings;
  /** The environment of this process. */
  readonly env: ChildEnvironment;
  /** For the files; made when there are any. */
  readonly directory: string;
  /** Gets every value that was read. */
  readonly mask: Mask | undefined;
  /** Where to print which secret came from which scope; undefined: nowhere. */
  readonly report: Writable | undefined;
  warn(text: string): void;
  readonly signal: AbortSignal;
}

/**
 * Carries out a task's requests: its pod is mutated as in a cluster, the files are written, and the environment of its
 * process is returned. Throws what the mutator throws.
 */
export async function giveSecrets(call: TaskCall, options: GiveSecretsOptions): Promise<ChildEnvironment> {
  const { injection, mask, warn } = options;
  const injected = await injectTask(call, injection, options.signal);
  const { variables, files, expanded } = emulateKubelet(injected.pod, { ...injected, directory: options.directory });
  for (const warning of injected.warnings) warn(warning);
  for (const record of injected.injections) {
    options.report?.write(`${escapeControls(`${call.definition.name}: ${describeInjection(record)}`)}\n`);
  }
  for (const [key, value] of injected.values) {
    if (mask?.add(value, key) === false) {
      warn(`the value of ${key} is shorter than 4 bytes and is not masked in the output`);
    }
  }
  for (const value of expanded) mask?.add(value);
  for (const { path, value } of files) await writeSecretFile(path, value);
  return childEnvironment(options.env, injection.global.envPrefix, variables);
}

/** A secret and where it came from: `api-key from project shop, domain production`. */
export function describeInjection({ request: { group, key }, manager, id }: InjectionRecord): string {
  return id === undefined ? `${group}/${key} from the ${manager} manager` : `${key} from ${describeScope(id)}`;
}
