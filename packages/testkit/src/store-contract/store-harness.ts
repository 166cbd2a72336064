import {
  type ListRequest,
  type SecretContent,
  type SecretId,
  type SecretStore,
  SecretValue,
} from "@flyte-secrets/core";

/** One store, empty, and what the contract suite needs beside its interface. */
export interface StoreHarness {
  readonly store: SecretStore;
  /** Another client of the same data, as another process would have. The harness closes it. */
  connect(): Promise<SecretStore>;
  /** Marks a secret as a system secret, as an operator would. */
  markSystem(id: SecretId): Promise<void>;
  /**
   * Resolves once the watchers of a client, told `reset` then, hear of changes; absent where they do so from the start.
   */
  watching?(client: SecretStore): Promise<void>;
  close(): Promise<void>;
}

/** Starts a store of its own for one test. */
export type StartStore = () => Promise<StoreHarness>;

/** An id of the default organization; scope parts that are left out are empty. */
export function secretId(name: string, scope: { domain?: string; project?: string } = {}): SecretId {
  return { org: "flyte", domain: scope.domain ?? "", project: scope.project ?? "", name };
}

export const generic = (text: string): SecretContent => ({ value: SecretValue.fromText(text), type: "generic" });

/** A request for all entries of the default organization in one page; `change` sets what is different. */
export function listRequest(change: Partial<ListRequest> = {}): ListRequest {
  const scope = { org: "flyte", domain: "", project: "" };
  return { scope, limit: 500, token: "", clusterTokens: {}, includeSystem: false, ...change };
}

/** The text that a store holds for an id. */
export async function readText(store: SecretStore, id: SecretId): Promise<string | undefined> {
  return (await store.read(id))?.revealText();
}
