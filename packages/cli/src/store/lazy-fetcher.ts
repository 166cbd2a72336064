import type { SecretFetcher } from "@flyte-secrets/core";
import { type Config, createStoreFetcher, type EmbeddedStore } from "@flyte-secrets/server/local";
import { openStore } from "./with-store.ts";

/** Reads values of this machine's store, which is opened with the first question: whoever asks for nothing needs none. */
export function createLazyFetcher(config: Config): SecretFetcher & AsyncDisposable {
  let opening: Promise<EmbeddedStore> | undefined;
  return {
    name: "Store",
    async fetch(ids, options) {
      opening ??= openStore(config);
      return createStoreFetcher(await opening).fetch(ids, options);
    },
    async [Symbol.asyncDispose]() {
      await opening?.then(
        (store) => store.close(),
        () => {}, // It could not be opened: whoever asked has been told.
      );
    },
  };
}
