import type { Config } from "@flyte-secrets/config";
import {
  MountRequirement,
  quote,
  type SecretFetcher,
  type SecretLookup,
  type SecretRequest,
  SecretValue,
} from "@flyte-secrets/core";
import { createLookup } from "@flyte-secrets/lookup";
import type { ChildEnvironment } from "../run/run-child.ts";

/** Secrets in variables of this process, as CI systems keep them. */
export interface EnvironmentSecrets {
  readonly lookup: SecretLookup;
  /** The environment without these variables. */
  readonly rest: ChildEnvironment;
  /** Lines for an error that say which variables were not set. */
  missingHelp(keys: readonly string[]): Promise<readonly string[]>;
}

/**
 * Takes the values of what is asked for from variables: of the name that the secret's variable has, and for a file of
 * the name that Flyte derives from group and key. One that is empty counts as not set: CI systems leave a secret empty
 * that they don't have.
 */
export function takeFromEnvironment(
  requests: readonly SecretRequest[],
  { config, env }: { readonly config: Config; readonly env: ChildEnvironment },
): EnvironmentSecrets {
  const variables = new Map<string, readonly string[]>();
  for (const request of requests) {
    const known = variables.get(request.key) ?? [];
    variables.set(request.key, [...new Set([...known, variableOf(request)])]);
  }
  const variablesOf = (key: string) => variables.get(key) ?? [];
  const textOf = (key: string) => variablesOf(key).flatMap((name) => env[name] || [])[0];
  const sources = new Set([...variables.values()].flat());
  const fetcher: SecretFetcher = {
    name: "Environment",
    async fetch(ids) {
      const found = ids.flatMap((id) => {
        const text = id.domain === "" ? textOf(id.name) : undefined;
        return text === undefined ? [] : [[id, SecretValue.fromText(text)] as const];
      });
      return new Map(found);
    },
  };
  return {
    lookup: createLookup({ fetcher, maxIdLength: config.webhook.limits.idLength }),
    rest: Object.fromEntries(Object.entries(env).filter(([name]) => !sources.has(name))),
    missingHelp: async (keys) =>
      keys.map((key) => `  ${quote(key)} is taken from ${variablesOf(key).join(" or ")}, which is empty or not set.`),
  };
}

function variableOf({ group, key, mountRequirement, envVar }: SecretRequest): string {
  if (envVar !== "" && mountRequirement !== MountRequirement.FILE) return envVar;
  return [group, key]
    .filter((part) => part !== "")
    .join("_")
    .replaceAll(/[^A-Za-z0-9_]/g, "_")
    .toUpperCase();
}
