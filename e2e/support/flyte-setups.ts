import type { StoreName } from "./each-store.ts";
import { FLYTE_VERSION, type FlyteVersion } from "./flyte-python.ts";
import type { FlyteServerKind } from "./flyte-server.ts";

/** What a suite of Flyte's client runs with. */
export interface FlyteSetup {
  readonly version: FlyteVersion;
  readonly server: FlyteServerKind;
}

/**
 * All that the newest client can talk to, and what most use with the older one. (Over plain HTTP its client sends no
 * token.)
 */
export const FLYTE_SETUPS: readonly FlyteSetup[] = [
  { version: "2.12.1", server: "plain" },
  { version: "2.12.1", server: "TLS" },
  { version: "2.12.1", server: "TLS with token" },
  { version: "2.11.4", server: "TLS with token" },
];

/**
 * Those for suites in which each call is a process, and takes most of a second: the older release over one store, and
 * TLS without a token not at all. The SDK, by which the command calls, goes through all of them.
 */
export function commandSetups(store: StoreName): readonly FlyteSetup[] {
  const newest = FLYTE_SETUPS.filter(({ version, server }) => version === FLYTE_VERSION && server !== "TLS");
  return store === "embedded"
    ? [...newest, ...FLYTE_SETUPS.filter(({ version }) => version !== FLYTE_VERSION)]
    : newest;
}
