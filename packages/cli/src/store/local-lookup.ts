import type { Config } from "@flyte-secrets/config";
import type { SecretLookup } from "@flyte-secrets/core";
import { createLookup, createStoreFetcher } from "@flyte-secrets/lookup";
import { lookupSource, toLookupOptions } from "../configured/lookup-options.ts";
import type { CliContext } from "../context.ts";
import { openOwnStore } from "./own-store.ts";

/** A lookup that opens its backend with the first call, so that a command that looks nothing up needs none. */
export interface LocalLookup extends SecretLookup, AsyncDisposable {
  /** Throws what kept the backend from opening, if anything did. */
  checkOpened(): Promise<void>;
}

/**
 * The lookup of secrets that the webhook of this configuration has: in the same manager, by the same names, with the
 * same limits.
 */
export function createLocalLookup(config: Config, cli: CliContext): LocalLookup {
  let opening: Promise<Backend> | undefined;
  const open = async () => {
    opening ??= openBackend(config, cli);
    return (await opening).lookup;
  };
  return {
    find: async (...question) => await (await open()).find(...question),
    findInGroup: async (...question) => await (await open()).findInGroup(...question),
    async checkOpened() {
      await opening;
    },
    async [Symbol.asyncDispose]() {
      await opening?.then(
        ({ close }) => close(),
        () => {}, // The call that failed to open it has thrown the error.
      );
    },
  };
}

interface Backend {
  readonly lookup: SecretLookup;
  close(): Promise<void>;
}

async function openBackend(config: Config, cli: CliContext): Promise<Backend> {
  const source = lookupSource(config);
  if (source.type === "K8s") return await openNamespace(config, source.namespace, cli);
  if (source.type !== "Store") return await openManager(config);
  const store = await openOwnStore(config);
  const maxIdLength = config.webhook.limits.idLength;
  return { lookup: createLookup({ fetcher: createStoreFetcher(store), maxIdLength }), close: () => store.close() };
}

/** AWS, GCP, Azure or Vault: the webhook's own lookup, which needs neither store nor cluster for them. */
async function openManager(config: Config): Promise<Backend> {
  const { createLogger } = await import("@flyte-secrets/http");
  const { NO_METRICS, openLookup } = await import("@flyte-secrets/lookup");
  const { systemClock } = await import("@flyte-secrets/core");
  const none = () => Promise.reject(new Error("neither a store nor a cluster belongs to this secret manager"));
  const log = createLogger({ ...config.logger, mute: true });
  const parts = { openStore: none, openKube: none, clock: systemClock, log, metrics: NO_METRICS };
  const lookup = await openLookup(toLookupOptions(config), parts);
  return { lookup, close: () => lookup.close() };
}

/**
 * The managed Secrets of a namespace, of whichever cluster is known: read one by one, where the webhook watches them
 * all.
 */
async function openNamespace(config: Config, namespace: string, { env, home }: CliContext): Promise<Backend> {
  const { connectAnyCluster } = await import("@flyte-secrets/kube");
  const { createNamespaceFetcher } = await import("@flyte-secrets/lookup");
  const { systemClock } = await import("@flyte-secrets/core");
  const client = connectAnyCluster(config, { env, home, clock: systemClock });
  const fetcher = createNamespaceFetcher(client, namespace);
  const lookup = createLookup({ fetcher, maxIdLength: config.webhook.limits.idLength });
  return { lookup, close: async () => client.close() };
}
