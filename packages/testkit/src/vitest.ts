/** What only a running test may import; the package's other entry works anywhere. */
export { createTemporaryDirectory } from "./create-temporary-directory.ts";
export { describeSecretFetcher } from "./fetcher-contract/describe-secret-fetcher.ts";
export type { BackendFault, FetcherHarness, StartFetcher } from "./fetcher-contract/fetcher-harness.ts";
export { listenInTest } from "./listen-in-test.ts";
export { checkOwnWrites, type ReplicasHarness } from "./store-contract/check-own-writes.ts";
export { describeSecretStore } from "./store-contract/describe-secret-store.ts";
export {
  generic,
  listRequest,
  readText,
  type StartStore,
  type StoreHarness,
} from "./store-contract/store-harness.ts";
