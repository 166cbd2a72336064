import type { SecretLookup } from "@flyte-secrets/core";
import { type Config, createLookup, createStoreFetcher } from "@flyte-secrets/server/local";
import { openStore } from "./with-store.ts";

/** A lookup whose backend is opened with the first question: who asks for nothing needs none. */
export interface LazyLookup extends SecretLookup, AsyncDisposable {
  /** Throws what kept the backend from opening, if anything did. */
  checkOpened(): Promise<void>;
}

/** The lookup of secrets that the webhook of this configuration has, without its cache. */
export function createLazyLookup(config: Config): LazyLookup {
  let opening: ReturnType<typeof open> | undefined;
  return {
    async find(scope, key, options) {
      opening ??= open(config);
      const { lookup } = await opening;
      return lookup.find(scope, key, options);
    },
    async checkOpened() {
      await opening;
    },
    async [Symbol.asyncDispose]() {
      await opening?.then(
        ({ close }) => close(),
        () => {}, // It could not be opened: whoever asked has been told.
      );
    },
  };
}

async function open(config: Config): Promise<{ lookup: SecretLookup; close(): Promise<void> }> {
  const store = await openStore(config);
  return { lookup: createLookup({ fetcher: createStoreFetcher(store) }), close: () => store.close() };
}
