import { join } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { closeOnce, systemClock } from "@flyte-secrets/core";
import {
  addCertificateExpiry,
  addProcessMetrics,
  createKubeMetrics,
  createStoreReadMetric,
  loadPrometheus,
  openTracing,
} from "@flyte-secrets/http";
import { connectCluster, openSharedToken } from "@flyte-secrets/kube";
import { assertAuthenticated, type RunningService, type ServiceParts, startService } from "@flyte-secrets/service";
import {
  announceServer,
  followTokenFile,
  lockDirectory,
  openStore,
  prepareStoreDirectory,
  type StoreParts,
  withdrawAnnouncement,
} from "@flyte-secrets/store";
import { ownNamespace } from "../configured/own-namespace.ts";
import { toServiceOptions } from "../configured/service-options.ts";
import { toStoreOptions } from "../configured/store-options.ts";
import { writeFlyteConfig } from "./flyte-config.ts";
import { openServiceCertificate, type ServiceCertificateOptions } from "./service-certificate.ts";

export interface RunServiceOptions extends Pick<ServiceParts, "log" | "onWrite"> {
  /** Environment and home directory in which a Kubernetes store finds its cluster. */
  readonly cluster?: Required<Pick<StoreParts, "env" | "home">>;
  /** The file that `log` writes to, which is announced. */
  readonly logFile?: string | undefined;
}

/** The service of a data directory. */
export interface OwnService extends Omit<RunningService, "proofKey"> {
  /** The configuration file by which Flyte's clients reach it; undefined where they need more than that. */
  readonly flyteConfig: string | undefined;
}

/**
 * Opens everything that the configuration of the service names (store, certificate, token, tracing, the data
 * directory's lock and announcement) and starts the service with it. When it throws, nothing is left open.
 * @throws SecretsError `invalid_config` or `listen_failed`, naming the setting; else as opening the store throws.
 */
export async function runService(config: Config, options: RunServiceOptions): Promise<OwnService> {
  const { log, cluster, onWrite, logFile } = options;
  const { server, store: storeConfig, kubernetes, auth } = config.secret;
  const directory = storeConfig.path;
  // Before anything is made for a service that must not start.
  assertAuthenticated({ ...auth, host: server.host });
  const registry = new (loadPrometheus().Registry)();
  addProcessMetrics(registry);
  await using opened = new AsyncDisposableStack();

  const tracing = await openTracing({ config: config.otel, serviceName: "secret-service", log });
  opened.defer(() => tracing?.close());
  const home = connectHome(config, cluster);
  opened.defer(() => home?.client.close());
  const certificate = await openServiceCertificate(config.secret, { home, log });
  opened.defer(() => certificate?.close());
  if (certificate) addCertificateExpiry(registry, certificate);
  const observe = cluster && createKubeMetrics(registry);
  const observeRead = cluster && createStoreReadMetric(registry);
  const store = await openStore(toStoreOptions(config), { log, ...cluster, observe, observeRead });
  opened.defer(() => store.close());
  // Whatever the store is, token, socket and announcement are in its directory.
  prepareStoreDirectory(directory);
  opened.defer(lockDirectory(directory));
  // Of a server that was killed: its address may be somebody else's by now.
  withdrawAnnouncement(directory);

  const token = auth.mode === "token" ? followTokenFile(auth.tokenFile, log) : () => "";
  const webhookToken = await openSharedToken({
    file: config.webhook.cacheInvalidationTokenFile,
    secretName: config.webhook.cacheInvalidationTokenSecret,
    home,
    settings: { file: "webhook.cacheInvalidationTokenFile", secretName: "webhook.cacheInvalidationTokenSecret" },
  });
  const { listener, ...rest } = toServiceOptions(config, { token, webhookToken });
  const service = await startService(
    { ...rest, listener: { ...listener, socketPath: join(directory, "server.sock") } },
    { store, certificate, onWrite, log, registry, tracing },
  );
  opened.defer(() => service.close());

  const { endpoint, socketPath, proofKey } = service;
  const startedAt = new Date().toISOString();
  opened.defer(announceServer(directory, { endpoint, pid: process.pid, startedAt, logFile, proofKey }));
  const flyteConfig = await writeFlyteConfig(config.secret, { endpoint, log });
  log.info({ endpoint, store: store.name, cluster: kubernetes.clusterName, auth: auth.mode }, "serving secrets");
  const running = opened.move();
  return { endpoint, socketPath, flyteConfig, close: closeOnce(() => running.disposeAsync()) };
}

/** The cluster and namespace of this service, where its certificate or a token is kept in a Secret there. */
function connectHome(config: Config, cluster: RunServiceOptions["cluster"]): ServiceCertificateOptions["home"] {
  const { cacheInvalidationTokenFile, cacheInvalidationTokenSecret } = config.webhook;
  const { certFile, secretName } = config.secret.server.tls;
  const keepsToken = cacheInvalidationTokenSecret !== "" && cacheInvalidationTokenFile === "";
  const keepsCertificate = secretName !== "" && certFile === "";
  if (cluster === undefined || !(keepsToken || keepsCertificate)) return undefined;
  const client = connectCluster(config, { ...cluster, clock: systemClock });
  return client && { client, namespace: ownNamespace(config, cluster) };
}
