export { openManagerFetcher } from "../providers/open-fetcher.ts";
export { createStoreLookup } from "../providers/store-lookup.ts";
export type { VaultOptions } from "../providers/vault-config.ts";
