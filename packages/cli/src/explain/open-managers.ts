import type { Config } from "@flyte-secrets/config";
import type { SecretLookup } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";
import { createManagers, globalSecrets } from "@flyte-secrets/webhook";
import { ownNamespace } from "../configured/own-namespace.ts";
import { toAdmissionOptions } from "../configured/webhook-options.ts";
import type { CliContext } from "../context.ts";
import { localAdmission } from "../mutate/local-admission.ts";
import { type NamespaceLabelsOptions, namespaceLabelsIn } from "../options/namespace-labels.ts";
import { createLocalLookup } from "../store/local-lookup.ts";
import type { SearchedPlace } from "./explain-request.ts";

export interface OpenManagersOptions {
  readonly options: NamespaceLabelsOptions;
  readonly cli: CliContext;
  /** Default: the local one, of what this machine can reach. */
  readonly lookup?: SecretLookup & AsyncDisposable;
}

/**
 * Opens the configured secret managers over what this machine can reach, with a record of where they look, and the
 * admission that uses them.
 */
export function openManagers(
  config: Config,
  { options, cli, lookup = createLocalLookup(config, cli) }: OpenManagersOptions,
) {
  const deciding = toAdmissionOptions(config, ownNamespace(config, cli));
  const global = globalSecrets(deciding.global, cli.env);
  const recorder = createRecorder({ lookup, global, type: config.webhook.embeddedSecretManagerConfig.type });
  const namespaceLabels = namespaceLabelsIn(options);
  return {
    managers: createManagers(deciding, recorder),
    takePlaces: recorder.take,
    admission: localAdmission(config, { lookup, global, namespaceLabels, cli }),
    [Symbol.asyncDispose]: () => lookup[Symbol.asyncDispose](),
  };
}

/** Wraps what secret managers read from, and records where they looked. */
export interface Recorder {
  readonly lookup: SecretLookup;
  readonly global: GlobalInjectorOptions;
  /** The places looked at since it was called last. */
  take(): SearchedPlace[];
}

export interface RecorderOptions extends Pick<Recorder, "lookup" | "global"> {
  /** What keeps the secrets: `embeddedSecretManagerConfig.type`. */
  readonly type: string;
}

export function createRecorder({ lookup, global, type }: RecorderOptions): Recorder {
  let places: SearchedPlace[] = [];
  return {
    lookup: {
      async find(scope, key, options) {
        const result = await lookup.find(scope, key, options);
        for (const { level, id, outcome } of result.attempts) {
          places.push({ kind: `${level} scope`, name: id, found: outcome === "found" });
        }
        return result;
      },
      async findInGroup(group, key, options) {
        const result = await lookup.findInGroup(group, key, options);
        places.push({ kind: `${type} secret`, name: `${group} key ${key}`, found: result.found });
        return result;
      },
    },
    global: {
      ...global,
      readVariable(name) {
        const value = global.readVariable(name);
        places.push({ kind: "variable", name, found: value !== undefined });
        return value;
      },
      async readFile(path, options) {
        const value = await global.readFile(path, options);
        places.push({ kind: "file", name: path, found: value !== undefined });
        return value;
      },
    },
    take() {
      const taken = places;
      places = [];
      return taken;
    },
  };
}
