import { type SecretLookup, SecretValue } from "@flyte-secrets/core";
import type { GlobalInjectorOptions } from "@flyte-secrets/inject";

/** What stands for every value. Not base64, so that nobody writes it to a cluster for one by mistake. */
export const MASK = "********";

/** A lookup that finds the same and tells no value: what is made of it can't give one away. */
export function maskLookup(lookup: SecretLookup): SecretLookup {
  return {
    async find(scope, key, options) {
      const result = await lookup.find(scope, key, options);
      return result.found ? { ...result, value: SecretValue.fromText(MASK) } : result;
    },
  };
}

/** The same for what the Global manager reads. */
export function maskGlobal(global: GlobalInjectorOptions): GlobalInjectorOptions {
  return {
    ...global,
    readVariable: (name) => (global.readVariable(name) === undefined ? undefined : MASK),
    async readFile(path, options) {
      const value = await global.readFile(path, options);
      return value && SecretValue.fromText(MASK);
    },
  };
}
