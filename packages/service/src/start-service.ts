import { isIPv6 } from "node:net";
import { closeOnce, type SecretId, type SecretStore, SecretsError } from "@flyte-secrets/core";
import {
  isLoopback,
  type Listener,
  listen,
  type NodeHandler,
  parseBindAddress,
  type Tracing,
} from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { listenWithCertificate, type ServiceCertificate } from "./certificate-listener.ts";
import { createServerProof, listenOnSocket } from "./own-server/own-server.ts";
import { secretService } from "./secret-service.ts";
import type { ServiceConfig, ServiceOptions } from "./service-options.ts";

/** How long requests in flight may take to finish when the service stops; Kubernetes kills after 30 s. */
const GRACE_MS = 10_000;

/** What a service works with. All of it stays the caller's to close. */
export interface ServiceParts {
  readonly store: SecretStore;
  /** Undefined: plain HTTP. */
  readonly certificate?: ServiceCertificate | undefined;
  /**
   * Called with the id of each secret that a call has written, before the call is answered: for caches in this process.
   */
  readonly onWrite?: ((id: SecretId) => void) | undefined;
  readonly log: Logger;
  /** Where the service's metrics are registered, and what `/metrics` shows. Default: one of its own. */
  readonly registry?: Registry;
  readonly tracing?: Tracing | undefined;
}

/** A service that listens. */
export interface RunningService {
  /** Such as `http://127.0.0.1:8093`. */
  readonly endpoint: string;
  /** The Unix socket, where one was wanted and is possible. */
  readonly socketPath: string | undefined;
  /** Where a socket was wanted and is not possible: the key by which clients recognise the port, see `ServerProof`. */
  readonly proofKey: string | undefined;
  /** Lets the requests in flight finish (10 s at the most), then closes the listeners. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts the secret service on its listeners. When it throws, nothing is left running.
 * @throws SecretsError `invalid_config` or `listen_failed`, naming the setting.
 */
export async function startService(options: ServiceOptions, parts: ServiceParts): Promise<RunningService> {
  const { listener: at, allowUnauthenticatedNetwork = false, ...config } = options;
  const { store, certificate, onWrite, log, registry, tracing } = parts;
  assertAuthenticated({ mode: config.auth.mode, host: at.host, allowUnauthenticatedNetwork });
  await using opened = new AsyncDisposableStack();
  const telemetry = { log, tracing };
  const service = secretService({ store, onWrite, config, telemetry: { ...telemetry, ...(registry && { registry }) } });
  // Whoever reaches the socket is the user who runs this, and may read the token, the key and the database anyway.
  const ownConfig: ServiceConfig = { ...config, auth: { mode: "none" } };
  const own = secretService({ store, onWrite, config: ownConfig, telemetry });

  const openAt = async (setting: string, address: string | undefined, handler: NodeHandler) => {
    const bound = parseBindAddress(address ?? "", setting);
    if (bound === undefined) return;
    const opening = await listen({ ...bound, handler, settings: { host: setting, port: setting }, log });
    opened.defer(() => opening.close({ graceMs: 0 }));
  };
  await openAt("secret.server.probeBindAddress", at.probeAddress, service.probes);
  await openAt("secret.server.metricsBindAddress", at.metricsAddress, service.metrics);
  const listeners: Listener[] = [];
  opened.defer(async () => {
    const closeListeners = listeners.map((listener) => listener.close({ graceMs: GRACE_MS }));
    await Promise.all([service.close(), own.close(), ...closeListeners]);
  });
  const { socketPath } = at;
  const socket = socketPath === undefined ? undefined : await listenOnSocket(socketPath, { handler: own.handler, log });
  if (socket) listeners.push(socket);
  const proof = socketPath === undefined || socket ? undefined : createServerProof();
  const { maxConnections, maxConnectionsPerAddress } = at;
  const listener = await listenWithCertificate({
    handler: proof?.wrap(service.handler) ?? service.handler,
    // Without a host Node takes IPv4 alone where the machine has no IPv6.
    host: at.host === "::" ? undefined : at.host,
    port: at.port,
    limits: {
      ...(maxConnections !== undefined && { maxConnections }),
      ...(maxConnectionsPerAddress !== undefined && { maxConnectionsPerAddress }),
    },
    log,
    certificate,
  });
  listeners.push(listener);

  const running = opened.move();
  return {
    endpoint: `${certificate ? "https" : "http"}://${reachableHost(at.host)}:${listener.port}`,
    socketPath: socket && socketPath,
    proofKey: proof?.key,
    close: closeOnce(() => running.disposeAsync()),
  };
}

export interface Exposure {
  readonly mode: ServiceConfig["auth"]["mode"];
  readonly host: string;
  readonly allowUnauthenticatedNetwork: boolean;
}

/**
 * Throws `invalid_config` where a service would let every machine that reaches it read and write without
 * authentication.
 */
export function assertAuthenticated({ mode, host, allowUnauthenticatedNetwork }: Exposure): void {
  if (mode !== "none" || allowUnauthenticatedNetwork || isLoopback(host)) return;
  throw new SecretsError(
    "invalid_config",
    `secret.auth.mode none on ${host} would let everybody who reaches it read names and write values; keep ` +
      "secret.auth.mode token, listen on 127.0.0.1 (secret.server.host), or set " +
      "secret.auth.allowUnauthenticatedNetwork to true",
  );
}

/** The host as it stands in a URL; for an address that means "all of this machine's", the loopback one. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return isIPv6(host) ? `[${host}]` : host;
}
