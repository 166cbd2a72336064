export { decodeAzureName, encodeAzureName } from "../providers/azure/encoding.ts";
export { openProviderFetcher } from "../providers/open-provider.ts";
export { createStoreLookup } from "../providers/store/provider.ts";
export type { VaultOptions } from "../providers/vault/options.ts";
