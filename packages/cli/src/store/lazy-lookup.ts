import type { SecretFetcher, SecretLookup } from "@flyte-secrets/core";
import { type Config, createLookup, createStoreFetcher } from "@flyte-secrets/server/local";
import type { Host } from "../host.ts";
import { openStore } from "./with-store.ts";

/** A lookup whose backend is opened with the first question: who asks for nothing needs none. */
export interface LazyLookup extends SecretLookup, AsyncDisposable {
  /** Throws what kept the backend from opening, if anything did. */
  checkOpened(): Promise<void>;
}

/** The lookup of secrets that the webhook of this configuration has, without its memory. */
export function createLazyLookup(config: Config, host: Host): LazyLookup {
  let opening: Promise<OpenedFetcher> | undefined;
  return {
    async find(scope, key, options) {
      opening ??= openFetcher(config, host);
      const { fetcher } = await opening;
      return createLookup({ fetcher }).find(scope, key, options);
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

interface OpenedFetcher {
  readonly fetcher: SecretFetcher;
  close(): Promise<void>;
}

async function openFetcher(config: Config, host: Host): Promise<OpenedFetcher> {
  const { embeddedSecretManagerConfig, kubeClientConfig } = config.webhook;
  if (embeddedSecretManagerConfig.type === "Store") {
    const store = await openStore(config);
    return { fetcher: createStoreFetcher(store), close: () => store.close() };
  }
  const server = await import("@flyte-secrets/server");
  if (embeddedSecretManagerConfig.type !== "K8s") {
    return { fetcher: await server.openFetcher(embeddedSecretManagerConfig), close: async () => {} };
  }
  const clock = server.systemClock;
  const { kubeconfig } = config.secret.kubernetes;
  const connection = server.findKubeConnection({ kubeconfig, env: host.env, home: host.home, clock });
  const { qps, burst, timeout: timeoutMs } = kubeClientConfig;
  const client = server.createKubeClient({ connection, qps, burst, timeoutMs, clock });
  const kubernetes = {
    async readSecret(namespace: string, name: string, { signal }: { readonly signal: AbortSignal }) {
      const secret = await client.get(server.SECRETS, { namespace, name }, { signal });
      return secret && (secret.data ?? {});
    },
  };
  const fetcher = await server.openFetcher(embeddedSecretManagerConfig, { kubernetes });
  return { fetcher, close: async () => client.close() };
}
