import { join } from "node:path";
import type { Writable } from "node:stream";
import { escapeControls } from "@flyte-secrets/core";
import { type InjectionRecord, SECRETS_DIRECTORY } from "@flyte-secrets/inject";
import type { TaskCall } from "@flyte-secrets/sdk";
import { describeScope } from "../options/secret-options.ts";
import { emulateKubelet, mountsSecrets } from "./emulate-kubelet.ts";
import { type InjectedTask, type InjectionSettings, injectTask } from "./inject-task.ts";
import type { Mask } from "./mask/mask.ts";
import { describeRefusedMount } from "./mount-warning.ts";
import { openModes, writeSecretFile } from "./private-directory.ts";
import { type ChildEnvironment, childEnvironment } from "./run-child.ts";
import { MOUNTED_DIRECTORY, openSecretsMount, type SecretsMount } from "./secrets-mount.ts";

export interface GiveSecretsOptions {
  readonly injection: InjectionSettings;
  /** The environment of this process. */
  readonly env: ChildEnvironment;
  /** For the files; made when there are any. */
  readonly directory: string;
  /** Whether files are to be seen at `/etc/flyte/secrets`, where Linux allows it. */
  readonly mount: boolean;
  /** Gets every value that was read. */
  readonly mask: Mask | undefined;
  /** Where to print which secret came from which scope; undefined: nowhere. */
  readonly report: Writable | undefined;
  warn(text: string): void;
  readonly signal: AbortSignal;
}

/** What the process of a task is started with. */
export interface GivenSecrets {
  /** All of its environment. */
  readonly env: ChildEnvironment;
  /** Where it has its files; undefined without any, or where they are seen as they lie. To be disposed of after its end. */
  readonly mount: SecretsMount | undefined;
}

/**
 * Carries out a task's requests: its pod is mutated as in a cluster, and the files are written. Throws what the mutator
 * throws.
 */
export async function giveSecrets(call: TaskCall, options: GiveSecretsOptions): Promise<GivenSecrets> {
  const { injection, mask, warn } = options;
  const injected = await injectTask(call, injection, options.signal);
  for (const warning of injected.warnings) warn(warning);
  for (const record of injected.injections) {
    options.report?.write(`${escapeControls(`${call.definition.name}: ${describeInjection(record)}`)}\n`);
  }
  for (const [key, value] of injected.values) {
    if (mask?.add(value, key) === false) {
      warn(`the value of ${key} is shorter than 4 bytes and is not masked in the output`);
    }
  }
  const mount = mountsSecrets(injected.pod) ? await openMount(options) : undefined;
  try {
    const variables = await becomeContainer(injected, mount, options);
    return { env: childEnvironment(options.env, injection.global.envPrefix, variables), mount };
  } catch (error) {
    await mount?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function openMount({ mount, directory, env, warn }: GiveSecretsOptions): Promise<SecretsMount | undefined> {
  if (!mount || process.platform !== "linux") return undefined;
  const opened = await openSecretsMount(directory, { path: env.PATH });
  if (!("refusal" in opened)) return opened;
  warn(await describeRefusedMount(opened.refusal));
  return undefined;
}

/** Writes the files, with the modes that they have in a pod if they are mounted, and gives the variables. */
async function becomeContainer(
  injected: InjectedTask,
  mount: SecretsMount | undefined,
  options: GiveSecretsOptions,
): Promise<ReadonlyMap<string, string>> {
  const directory = join(options.directory, MOUNTED_DIRECTORY);
  const seenAt = mount === undefined ? directory : SECRETS_DIRECTORY;
  const { variables, files, expanded } = emulateKubelet(injected.pod, { ...injected, directory, seenAt });
  for (const value of expanded) options.mask?.add(value);
  for (const { path, value } of files) await writeSecretFile(path, value);
  if (mount !== undefined) await openModes(directory);
  return variables;
}

/** A secret and where it came from: `api-key from project shop, domain production`. */
export function describeInjection({ request: { group, key }, manager, id }: InjectionRecord): string {
  return id === undefined ? `${group}/${key} from the ${manager} manager` : `${key} from ${describeScope(id)}`;
}
