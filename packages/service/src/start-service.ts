import { isIPv6 } from "node:net";
import type { Config } from "@flyte-secrets/config";
import { podNamespace } from "@flyte-secrets/config";
import { closeOnce, type SecretId, SecretsError, systemClock } from "@flyte-secrets/core";
import type { NodeHandler } from "@flyte-secrets/http";
import {
  addCertificateExpiry,
  addProcessMetrics,
  createKubeMetrics,
  isLoopback,
  type Listener,
  listen,
  loadPrometheus,
  openTracing,
  parseBindAddress,
} from "@flyte-secrets/http";
import { connectCluster, openInvalidationToken } from "@flyte-secrets/kube";
import {
  announceServer,
  followTokenFile,
  lockDirectory,
  openStore,
  prepareStoreDirectory,
  type StoreParts,
} from "@flyte-secrets/store";
import type { Logger } from "pino";
import { writeFlyteConfig } from "./own-server/flyte-config.ts";
import { createServerProof } from "./own-server/server-proof.ts";
import { listenOnSocket } from "./own-server/server-socket.ts";
import { secretService } from "./secret-service.ts";
import {
  listenWithCertificate,
  openServiceCertificate,
  type ServiceCertificateOptions,
} from "./service-certificate.ts";
import type { ServiceAuth, ServiceConfig } from "./service-config.ts";
import { storeOptions } from "./store-options.ts";

/** How long requests under way may take to finish when the server stops; Kubernetes kills after 30 s. */
const GRACE_MS = 10_000;

export interface StartServerOptions {
  readonly log: Logger;
  /** Where a Kubernetes store finds its cluster. */
  readonly cluster?: Required<Pick<StoreParts, "env" | "home">>;
  /** Hears of each secret that a call has written, before the call is answered: for a webhook in the same process. */
  readonly onWrite?: ((id: SecretId) => void) | undefined;
  /** The file that `log` writes to, which is announced. */
  readonly logFile?: string | undefined;
}

/** A running system. */
export interface RunningSystem {
  /** Such as `http://127.0.0.1:8093`. */
  readonly endpoint: string;
  /** The Unix socket for the user who runs it; undefined where the data directory can hold none. */
  readonly socketPath: string | undefined;
  /** The configuration by which Flyte's clients reach it; undefined where they can't without more. */
  readonly flyteConfig: string | undefined;
  /** Lets the requests under way finish (10 s at the most), then closes listener and store. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts what the configuration describes: the store, and the secret service on its listener. The one place that names concrete
 * classes. When it throws, nothing is left running.
 * @throws SecretsError `invalid_config` or `listen_failed`, naming the setting; what opening the store throws.
 */
export async function startServer(
  config: Config,
  { log, cluster, onWrite, logFile }: StartServerOptions,
): Promise<RunningSystem> {
  const { server, store: storeConfig, kubernetes, organization, webhookURL } = config.secret;
  assertAuthentication(config.secret);
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
  const store = await openStore(storeOptions(config), {
    log,
    ...cluster,
    observe: cluster && createKubeMetrics(registry),
  });
  opened.defer(() => store.close());
  // Whatever the store is: token, socket and announcement lie here.
  prepareStoreDirectory(storeConfig.path);
  opened.defer(lockDirectory(storeConfig.path));
  const auth = resolveAuth(config.secret.auth, log);
  const webhookToken = await openInvalidationToken(config.webhook, home);
  const { limits } = server;
  const serviceConfig: ServiceConfig = {
    organization,
    auth,
    webhookURL,
    webhookToken,
    allowedHosts: [server.host, ...server.allowedHosts],
    maxBodyBytes: limits.bodyBytes,
  };
  const parts = { store, onWrite };
  const service = secretService({ ...parts, config: serviceConfig, telemetry: { log, registry, tracing } });
  // Whoever reaches the socket is the user who runs this, and may read the token, the key and the database anyway.
  const ownConfig: ServiceConfig = { ...serviceConfig, auth: { mode: "none" } };
  const own = secretService({ ...parts, config: ownConfig, telemetry: { log, tracing } });
  const { host, port } = server;
  const openAt = async (setting: "probeBindAddress" | "metricsBindAddress", handler: NodeHandler) => {
    const opening = await listenBeside({ setting: `secret.server.${setting}`, address: server[setting], handler, log });
    opened.defer(() => opening?.close({ graceMs: 0 }));
  };
  await openAt("probeBindAddress", service.probes);
  await openAt("metricsBindAddress", service.metrics);
  const listeners: Listener[] = [];
  opened.defer(async () => {
    const closeListeners = listeners.map((listener) => listener.close({ graceMs: GRACE_MS }));
    await Promise.all([service.close(), own.close(), ...closeListeners]);
  });
  const socket = await listenOnSocket(storeConfig.path, { handler: own.handler, log });
  if (socket) listeners.push(socket);
  const proof = socket ? undefined : createServerProof();
  const listener = await listenWithCertificate({
    handler: proof?.answering(service.handler) ?? service.handler,
    // Without a host Node takes IPv4 alone where the machine has no IPv6.
    host: host === "::" ? undefined : host,
    port,
    limits: { maxConnections: limits.connections, maxConnectionsPerAddress: limits.connectionsPerAddress },
    log,
    certificate,
  });
  listeners.push(listener);

  const endpoint = `${certificate ? "https" : "http"}://${reachableHost(host)}:${listener.port}`;
  opened.defer(
    announceServer(storeConfig.path, {
      endpoint,
      pid: process.pid,
      startedAt: new Date().toISOString(),
      logFile,
      proofKey: proof?.key,
    }),
  );
  const flyteConfig = writeFlyteConfig(config.secret, { endpoint, log });
  log.info({ endpoint, store: store.name, cluster: kubernetes.clusterName, auth: auth.mode }, "serving secrets");

  const running = opened.move();
  return {
    endpoint,
    socketPath: socket?.path,
    flyteConfig,
    close: closeOnce(() => running.disposeAsync()),
  };
}

/** The cluster and namespace of this service, where something that it starts with is kept in a Secret there. */
function connectHome(config: Config, cluster: StartServerOptions["cluster"]): ServiceCertificateOptions["home"] {
  const { cacheInvalidationTokenFile, cacheInvalidationTokenSecret } = config.webhook;
  const { certFile, secretName } = config.secret.server.tls;
  const keepsToken = cacheInvalidationTokenSecret !== "" && cacheInvalidationTokenFile === "";
  const keepsCertificate = secretName !== "" && certFile === "";
  if (cluster === undefined || !(keepsToken || keepsCertificate)) return undefined;
  const client = connectCluster(config, { ...cluster, clock: systemClock });
  return (
    client && { client, namespace: podNamespace({ env: cluster.env, configured: config.actions.kubernetes.namespace }) }
  );
}

interface ListenBesideOptions {
  readonly setting: string;
  readonly address: string;
  readonly handler: NodeHandler;
  readonly log: Logger;
}

/** A port for whoever watches over the service, so that its callers can't be in the way. */
async function listenBeside({ setting, address, handler, log }: ListenBesideOptions): Promise<Listener | undefined> {
  const bound = parseBindAddress(address, setting);
  return bound && listen({ ...bound, handler, settings: { host: setting, port: setting }, log });
}

function resolveAuth({ mode, tokenFile, oidc }: Config["secret"]["auth"], log: Logger): ServiceAuth {
  switch (mode) {
    case "none":
      return { mode };
    case "token":
      return { mode, token: followTokenFile(tokenFile, log) };
    case "oidc": {
      const { clockSkew, ...rest } = oidc;
      return { mode, clockSkewMs: clockSkew, ...rest };
    }
  }
}

function assertAuthentication({ auth, server: { host } }: Config["secret"]): void {
  if (auth.mode !== "none" || auth.allowUnauthenticatedNetwork || isLoopback(host)) return;
  throw new SecretsError(
    "invalid_config",
    `secret.auth.mode none on ${host} would let everybody who reaches it read names and write values; keep secret.auth.mode token, ` +
      "listen on 127.0.0.1 (secret.server.host), or set secret.auth.allowUnauthenticatedNetwork to true",
  );
}

/** The host as it stands in a URL; for an address that means "all of this machine's", the loopback one. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return isIPv6(host) ? `[${host}]` : host;
}
