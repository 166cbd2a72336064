export { decodePageToken, encodePageToken } from "../embedded/page-token.ts";
export { decodeListToken, encodeListToken } from "../list-token.ts";
export { expectedStoreValue } from "./expected-store-value.ts";
export { runStoreWorker, type StoreWorkerOptions, type StoreWorkerResult } from "./run-store-worker.ts";
