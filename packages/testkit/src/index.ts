export { createCertificate } from "./create-certificate.ts";
export { expectedStoreValue } from "./expected-store-value.ts";
export { runStoreWorker, type StoreWorkerOptions, type StoreWorkerResult } from "./run-store-worker.ts";
export { type ServeProcess, startServe } from "./serve-process.ts";
