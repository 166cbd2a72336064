import type { Injector, SecretLookup } from "@flyte-secrets/core";
import { createEmbeddedInjector, createGlobalInjector, type GlobalInjectorOptions } from "@flyte-secrets/inject";
import type { Place } from "./explain-request.ts";

/** A secret manager that notes where it looks. A further manager is one more function like those below. */
export interface RecordedManager {
  readonly injector: Injector;
  /** Filled while the injector runs. */
  readonly places: readonly Place[];
}

/** Embedded over a lookup: one place for each scope. */
export function recordEmbedded(lookup: SecretLookup): RecordedManager {
  const places: Place[] = [];
  const recording: SecretLookup = {
    async find(scope, key, options) {
      const result = await lookup.find(scope, key, options);
      for (const { level, id, outcome } of result.attempts) {
        places.push({ kind: `${level} scope`, name: id, found: outcome === "found" });
      }
      return result;
    },
  };
  return { injector: createEmbeddedInjector({ lookup: recording }), places };
}

/** Global over this process's variables and files: one place for the variable, one for the file. */
export function recordGlobal(options: GlobalInjectorOptions): RecordedManager {
  const places: Place[] = [];
  const injector = createGlobalInjector({
    ...options,
    readVariable(name) {
      const value = options.readVariable(name);
      places.push({ kind: "variable", name, found: value !== undefined });
      return value;
    },
    async readFile(path, rest) {
      const value = await options.readFile(path, rest);
      places.push({ kind: "file", name: path, found: value !== undefined });
      return value;
    },
  });
  return { injector, places };
}
