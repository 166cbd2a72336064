import type { Config } from "@flyte-secrets/config";
import { isSecretsError, type SecretLookup, type SecretScope, SecretValue } from "@flyte-secrets/core";
import {
  createInlineDelivery,
  createMutator,
  createSecretRefDelivery,
  type GlobalInjectorOptions,
  type InjectionRecord,
  type Injector,
  type MutatorOptions,
  type Pod,
} from "@flyte-secrets/inject";
import { type TaskCall, toPod } from "@flyte-secrets/sdk";
import type { CliContext } from "../context.ts";
import { DetailedError } from "../failure.ts";
import { describeMissingKeys } from "../secrets/missing-secret.ts";

/** Never pulled: the container runs as a process of this machine. */
const IMAGE = "local";

/** What a webhook on this machine would be configured with, and whose task it is. */
export interface InjectionSettings extends Pick<MutatorOptions, "secretEnvVarPrefix" | "envVarNaming" | "limits"> {
  readonly scope: SecretScope;
  readonly lookup: SecretLookup;
  readonly global: GlobalInjectorOptions;
  /** The managers that are used in a local run. */
  createManagersOver(parts: Pick<InjectionSettings, "lookup" | "global">): readonly Injector[];
  /** Lines that help with keys that were found nowhere. `tried` is the mutator's message. */
  missingHelp(keys: readonly string[], tried: string): Promise<readonly string[]>;
  readonly delivery: "SecretRef" | "Inline";
  /** `escapeInlineVariables`. */
  readonly escapeVariables: boolean;
}

/** What the mutator made of one task's pod. */
export interface InjectedTask {
  readonly pod: Pod;
  /** One data key of a Secret that the pod refers to. */
  secretValue(name: string, key: string): SecretValue | undefined;
  /** Which manager served what, and for a secret of a scope, which scope. */
  readonly injections: readonly InjectionRecord[];
  /** Every value that was read for it, by key, variable or path. */
  readonly values: ReadonlyMap<string, SecretValue>;
  readonly warnings: readonly string[];
}

/**
 * Builds the pod of a task call and gives it to the mutator that the webhook uses. The Secrets that the pod refers to
 * stay in memory. Throws what the mutator throws; when a secret is nowhere, with what creates it.
 */
export async function injectTask(
  { definition, inherited }: TaskCall,
  settings: InjectionSettings,
  signal: AbortSignal,
): Promise<InjectedTask> {
  const { scope, delivery, secretEnvVarPrefix, envVarNaming, limits } = settings;
  const recorded = recordReads(settings);
  const mutator = createMutator({
    managers: settings.createManagersOver(recorded),
    secretEnvVarPrefix,
    envVarNaming,
    ...(limits && { limits }),
    delivery:
      delivery === "Inline"
        ? createInlineDelivery({ escapeVariables: settings.escapeVariables })
        : createSecretRefDelivery({ writer: { async write() {} } }),
  });
  const pod = toPod({ definition }, { image: IMAGE, ...scope, inherited });
  try {
    const mutation = await mutator.mutate(pod, { signal });
    if (!mutation.changed)
      return { pod, injections: [], secretValue: () => undefined, values: recorded.values, warnings: [] };
    const secrets = new Map(mutation.secrets.map(({ name, data }) => [name, new Map(Object.entries(data))]));
    return { ...mutation, secretValue: (name, key) => secrets.get(name)?.get(key), values: recorded.values };
  } catch (error) {
    if (!isSecretsError(error, "not_injected") || recorded.missing.size === 0) throw error;
    const keys = [...recorded.missing];
    const help = await settings.missingHelp(keys, error.message);
    throw new DetailedError("not_injected", describeMissingKeys(keys), help);
  }
}

/** Notes every value on its way, for the mask, and every key that was found nowhere, for the remedy. */
function recordReads({ lookup, global }: InjectionSettings) {
  const values = new Map<string, SecretValue>();
  const missing = new Set<string>();
  const note = (name: string, value: SecretValue | undefined): void => {
    if (value !== undefined) values.set(name, value);
  };
  const recordingLookup: SecretLookup = {
    async find(scope, key, options) {
      const result = await lookup.find(scope, key, options);
      if (!result.found) {
        missing.add(key);
        return result;
      }
      note(key, result.value);
      // Wherever it lies in a cluster, here it comes as a value.
      const { namespace: _, ...here } = result;
      return here;
    },
    async findInGroup(group, key, options) {
      const result = await lookup.findInGroup(group, key, options);
      if (result.found) {
        missing.delete(key);
        note(`${group}/${key}`, result.value);
      }
      return result;
    },
  };
  const recordingGlobal: GlobalInjectorOptions = {
    ...global,
    readVariable(name) {
      const text = global.readVariable(name);
      note(name, text === undefined ? undefined : SecretValue.fromText(text));
      return text;
    },
    async readFile(path, options) {
      const value = await global.readFile(path, options);
      note(path, value);
      return value;
    },
  };
  return { values, missing, lookup: recordingLookup, global: recordingGlobal };
}

/**
 * The managers whose secrets a process of this machine can be given. The others have a pod read them, with what is in a
 * cluster.
 */
const HERE: readonly string[] = ["Global", "Embedded"];

/** Returns the configuration with these managers only. */
export function withLocalManagersOnly(config: Config): Config {
  return { ...config, webhook: { ...config.webhook, secretManagerTypes: ["Embedded"] } };
}

/** Prints a note on the other managers that the webhook is configured with, which may come first there. */
export function noteOtherManagers(
  { webhook: { secretManagerType, secretManagerTypes } }: Config,
  cli: CliContext,
): void {
  const configured = secretManagerTypes.length > 0 ? secretManagerTypes : [secretManagerType];
  const others = configured.filter((name) => !HERE.includes(name));
  if (others.length === 0) return;
  cli.stderr.write(
    `note: ${others.join(", ")} of webhook.secretManagerTypes can't be asked without a cluster: only Global and ` +
      "Embedded are\n",
  );
}
