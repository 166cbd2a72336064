import {
  andThen,
  excerpt,
  type MaybePromise,
  MountRequirement,
  type SecretRequest,
  SecretValue,
} from "@flyte-secrets/core";
import { cleanJoinPath } from "../pod/clean-join-path.ts";
import type { Injection, Injector } from "./injector.ts";
import { prefixEdit, valueEdits } from "./injector.ts";
import { unrecognizedMount } from "./request-fields.ts";
import { variableFault, variableNames } from "./variables.ts";

export interface GlobalInjectorOptions {
  /** A variable of the webhook's own process; undefined when it isn't set. */
  readonly readVariable: (name: string) => string | undefined;
  /** A file of the webhook's; undefined when it isn't there. Anything else that goes wrong throws. */
  readonly readFile: (
    path: string,
    options: { signal?: AbortSignal | undefined },
  ) => MaybePromise<SecretValue | undefined>;
  /** `secrets.env-prefix`; `FLYTE_SECRET_` by default. */
  readonly envPrefix?: string;
  /** `secrets.secrets-prefix`; `/etc/secrets` by default. */
  readonly directory?: string;
}

/**
 * Secrets of the whole installation, which its operator gives the webhook as variables and files.
 * The variable `<envPrefix><GROUP>_<KEY>` comes before the file `<directory>/<group>/<key>`. Only as variables (I-15).
 */
export function createGlobalInjector(options: GlobalInjectorOptions): Injector {
  const { readVariable, readFile, envPrefix = "FLYTE_SECRET_", directory = "/etc/secrets" } = options;
  return {
    name: "Global",
    refersTo(request) {
      if (requestFault(request) !== undefined) return NOTHING;
      return { kind: "variable", group: request.group, name: variableOf(request) };
    },
    inject(request, context) {
      const fault = requestFault(request);
      if (fault !== undefined) return { injected: false, reason: fault };
      const { group, key } = request;
      const name = variableOf(request);
      const path = cleanJoinPath(directory, group, key);
      const variable = readVariable(envPrefix + name);
      const found =
        variable === undefined
          ? readFile(path, context.signal ? { signal: context.signal } : {})
          : SecretValue.fromText(variable);
      return andThen(found, (value): Injection => {
        if (!value) {
          return {
            injected: false,
            reason: `found neither the variable ${envPrefix}${excerpt(name)} nor the file ${excerpt(path)}`,
          };
        }
        const names = variableNames((context.variables.prefix + name).toUpperCase(), context.variables);
        const valueFault = variableFault(value, key, names);
        if (valueFault !== undefined) return { injected: false, reason: valueFault };
        const edits = valueEdits(names, { kind: "value", value, label: `global__${group}__${key}` });
        return { injected: true, edits: [prefixEdit(context), ...edits] };
      });
    },
  };
}

const NOTHING = { kind: "nothing" } as const;

function variableOf({ group, key }: SecretRequest): string {
  return `${group}_${key}`.toUpperCase();
}

function requestFault(request: SecretRequest): string | undefined {
  const { group, key, mountRequirement } = request;
  if (group === "" || key === "") return "global secrets require both group and key to be set";
  if (mountRequirement === MountRequirement.FILE) {
    return "global secrets can only be injected as environment variables";
  }
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.ENV_VAR) {
    return unrecognizedMount(request);
  }
  const parts = `${group}/${key}`.split("/");
  const odd = parts.includes("..") || parts.includes(".") || key.includes("\0") || group.includes("\0");
  if (odd) return "group and key must name a file below the directory of global secrets";
  // The border between the two has to be where it says: groups are bound to namespaces.
  return key.includes("/") ? 'the key of a global secret can\'t have a "/": that belongs to the group' : undefined;
}
