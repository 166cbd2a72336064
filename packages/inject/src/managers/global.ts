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
import { describeUnknownMount } from "./request-fields.ts";
import { validateVariable, variableNames } from "./variables.ts";

export interface GlobalInjectorOptions {
  /** Reads a variable of the webhook's own process; undefined when it isn't set. */
  readonly readVariable: (name: string) => string | undefined;
  /** Reads a file of the webhook's container; undefined when it doesn't exist. Throws for any other failure. */
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
 * Secrets of the whole installation, which its operator gives the webhook as variables and files. The variable
 * `<envPrefix><GROUP>_<KEY>` takes precedence over the file `<directory>/<group>/<key>`. They are injected as variables
 * only (I-15).
 */
export function createGlobalInjector(options: GlobalInjectorOptions): Injector {
  const { readVariable, readFile, envPrefix = "FLYTE_SECRET_", directory = "/etc/secrets" } = options;
  return {
    name: "Global",
    refersTo(request) {
      if (validateRequest(request) !== undefined) return NOTHING;
      return { kind: "variable", group: request.group, name: variableOf(request) };
    },
    inject(request, context) {
      const reason = validateRequest(request);
      if (reason !== undefined) return { injected: false, reason };
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
        const valueReason = validateVariable(value, key, names);
        if (valueReason !== undefined) return { injected: false, reason: valueReason };
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

function validateRequest(request: SecretRequest): string | undefined {
  const { group, key, mountRequirement } = request;
  if (group === "" || key === "") return "global secrets require both group and key to be set";
  if (mountRequirement === MountRequirement.FILE) {
    return "global secrets can only be injected as environment variables";
  }
  if (mountRequirement !== MountRequirement.ANY && mountRequirement !== MountRequirement.ENV_VAR) {
    return describeUnknownMount(request);
  }
  const parts = `${group}/${key}`.split("/");
  const odd = parts.includes("..") || parts.includes(".") || key.includes("\0") || group.includes("\0");
  if (odd) return "group and key must name a file below the directory of global secrets";
  // Groups are bound to namespaces, so the key must not reach into another group's directory.
  return key.includes("/") ? 'the key of a global secret can\'t have a "/": that belongs to the group' : undefined;
}
