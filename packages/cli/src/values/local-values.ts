import {
  isSecretsError,
  MountRequirement,
  quote,
  type SecretRequest,
  SecretsError,
  type SecretValue,
} from "@flyte-secrets/core";
import type { InjectionRecord } from "@flyte-secrets/inject";
import type { CliContext } from "../context.ts";
import { DetailedError } from "../failure.ts";
import { readConfig } from "../options/setting-options.ts";
import { resolveTaskScope } from "../options/task-scope-options.ts";
import { describeTarget, findTarget } from "../remote/target.ts";
import { emulateKubelet } from "../run/emulate-kubelet.ts";
import { describeInjection } from "../run/give-secrets.ts";
import { type InjectionSettings, injectTask } from "../run/inject-task.ts";
import { toInjectionSettings } from "../run/injection-settings.ts";
import { describeMissingKeys } from "../secrets/missing-secret.ts";
import { createLocalLookup } from "../store/local-lookup.ts";
import type { LocalValuesOptions } from "./local-values-options.ts";

export interface LocalValuesCall {
  readonly options: LocalValuesOptions;
  readonly cli: CliContext;
  /** Lines below an error that say where these secrets are asked for. */
  readonly placesOf?: (names: readonly string[]) => readonly string[];
}

/**
 * The values of secrets by their names, `KEY` or `GROUP/KEY`: each as a task on this machine has it in a file, which is
 * from this machine's store or the manager that the configuration names. Throws what the mutator throws for the first
 * that can't be read, else `not_injected` for all that are nowhere; `usage` where a service is asked for.
 */
export async function readLocalValues(
  names: readonly string[],
  { options, cli, placesOf = () => [] }: LocalValuesCall,
): Promise<ReadonlyMap<string, SecretValue>> {
  if (options.endpoint !== undefined) {
    throw new SecretsError(
      "usage",
      "--endpoint: a service gives values to tasks alone. They are read from this machine's own store, or from the " +
        "secret manager that the configuration names",
    );
  }
  const config = await readConfig(options, cli);
  const scope = await resolveTaskScope(options, config, cli);
  await using lookup = createLocalLookup(config, cli);
  const injection = toInjectionSettings(config, { scope, lookup, verbose: options.verbose ?? false, cli });
  // All at once, so that a manager can be asked for several in one call.
  const reading = names.map((name) => readOne(name, injection));
  await Promise.allSettled(reading);
  const values = new Map<string, SecretValue>();
  const missing: Missing[] = [];
  for (const [index, name] of names.entries()) {
    const outcome = await reading[index]?.catch((error: unknown) => Promise.reject(located(error, placesOf([name]))));
    if (outcome?.found === false) missing.push(outcome);
    if (!outcome?.found) continue;
    values.set(name, outcome.value);
    if (options.verbose) cli.stderr.write(outcome.injections.map((one) => `${describeInjection(one)}\n`).join(""));
  }
  if (missing.length === 0) return values;
  const keys = [...new Set(missing.flatMap((one) => one.keys))];
  const help = await injection.missingHelp(keys, missing.map(({ tried }) => tried).join("; "));
  const places = placesOf(missing.map(({ name }) => name));
  throw new DetailedError("not_injected", describeMissingKeys(keys), [...places, ...help, ...(await serviceHelp(cli))]);
}

/** A secret that was found nowhere, by these keys. */
interface Missing {
  readonly found: false;
  readonly name: string;
  readonly keys: readonly string[];
  readonly tried: string;
}

interface Found {
  readonly found: true;
  readonly value: SecretValue;
  readonly injections: readonly InjectionRecord[];
}

async function readOne(name: string, injection: InjectionSettings): Promise<Found | Missing> {
  const definition = { name: "read", kind: "task", requests: [toFileRequest(name)] } as const;
  let missing: Missing | undefined;
  const settings: InjectionSettings = {
    ...injection,
    // Inline needs room in the pod for the value.
    delivery: "SecretRef",
    async missingHelp(keys, tried) {
      missing = { found: false, name, keys, tried };
      return [];
    },
  };
  const call = { definition, inherited: [], input: undefined };
  try {
    const { pod, injections, secretValue } = await injectTask(call, settings, new AbortController().signal);
    const [file] = emulateKubelet(pod, { secretValue, directory: "/" }).files;
    if (file === undefined) throw new Error("the request for a file was served without one");
    return { found: true, value: file.value, injections };
  } catch (error) {
    if (missing !== undefined) return missing;
    throw error;
  }
}

/** A group may have slashes. */
function toFileRequest(name: string): SecretRequest {
  const [, group = "", key] = /^(?:(.+)\/)?([^/]+)$/s.exec(name) ?? [];
  if (key === undefined) throw new SecretsError("invalid_argument", `${quote(name)} is neither KEY nor GROUP/KEY`);
  return { group, groupVersion: "", key, mountRequirement: MountRequirement.FILE, envVar: "" };
}

function located(error: unknown, places: readonly string[]): unknown {
  if (!isSecretsError(error)) return error;
  const details = error instanceof DetailedError ? error.details : [];
  return new DetailedError(error.code, error.message, [...places, ...details]);
}

/** For those who work with a service, and whose secrets are there. */
async function serviceHelp(cli: CliContext): Promise<readonly string[]> {
  try {
    const target = await findTarget({}, cli);
    if (target.kind !== "endpoint") return [];
    return [`  The values of ${describeTarget(target, cli)} can't be read: a service gives them to tasks alone.`];
  } catch {
    // It is not the failure to report.
    return [];
  }
}
