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
  const embedded = config.webhook.embeddedSecretManagerConfig;
  const { store, kubernetes } = config.secret;
  if (embedded.type === "K8s") return await openNamespace(config, embedded.k8sConfig.namespace, host);
  if (embedded.type !== "Store") {
    const { openFetcher } = await import("@flyte-secrets/server");
    return { fetcher: await openFetcher(embedded), close: async () => {} };
  }
  if (store.type === "Kubernetes") return await openNamespace(config, kubernetes.namespace, host);
  const opened = await openStore(config);
  return { fetcher: createStoreFetcher(opened), close: () => opened.close() };
}

/** The managed Secrets of a namespace, of whichever cluster is known. */
async function openNamespace(config: Config, namespace: string, { env, home }: Host): Promise<OpenedFetcher> {
  const { connectKube, openFetcher, SECRETS, systemClock } = await import("@flyte-secrets/server");
  const client = connectKube(config, { env, home, clock: systemClock });
  const kubernetes = {
    async readSecret(namespace: string, name: string, { signal }: { readonly signal: AbortSignal }) {
      const secret = await client.get(SECRETS, { namespace, name }, { signal });
      return secret && (secret.data ?? {});
    },
  };
  const embedded = { ...config.webhook.embeddedSecretManagerConfig, type: "K8s" as const };
  const fetcher = await openFetcher({ ...embedded, k8sConfig: { ...embedded.k8sConfig, namespace } }, { kubernetes });
  return { fetcher, close: async () => client.close() };
}
