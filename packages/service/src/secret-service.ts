import { constants } from "node:http2";
import { type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { SecretId, SecretStore } from "@flyte-secrets/core";
import {
  addBudgetMetrics,
  type ErrorReply,
  guardHandler,
  type HttpExchange,
  loadPrometheus,
  type NodeHandler,
  type NodeRequest,
  replyError,
  replyMetrics,
  type Tracing,
} from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { createAuthentication } from "./auth/create-authentication.ts";
import { createRoutes } from "./create-routes.ts";
import { createHealth } from "./health.ts";
import { createPageGuard } from "./page-guard.ts";
import { replyGuardedMetrics, replyIssuerMetadata } from "./plain-endpoints.ts";
import { findRestRoute, type RestRoute } from "./rest/rest-routes.ts";
import { createBodyBudget, DEFAULT_BODY_BYTES } from "./rpc/body-budget.ts";
import { type CallContext, createCallContext, toContextValues } from "./rpc/call-context.ts";
import { createRpcMetrics, type ObservedCall, toSpanResult } from "./rpc/call-telemetry.ts";
import { addRefusedMetric, createRequestLimit, DEFAULT_MAX_REQUESTS } from "./rpc/request-limit.ts";
import { refuseCall, requestAuthority, serveRpc } from "./rpc/serve-rpc.ts";
import { createUnknownRpc } from "./rpc/unknown-rpc.ts";
import type { ServiceConfig } from "./service-options.ts";
import { serveUnary } from "./unary/serve-unary.ts";

export interface SecretServiceOptions {
  readonly store: SecretStore;
  readonly config: ServiceConfig;
  /**
   * Called with the id of each secret that a call has written, before the call is answered: for caches in this process.
   */
  readonly onWrite?: ((id: SecretId) => void) | undefined;
  readonly telemetry: {
    readonly log: Logger;
    /** Where its metrics are registered, and what `/metrics` serves. Default: one of its own. */
    readonly registry?: Registry;
    /** Gets a span for each call. The caller closes it. */
    readonly tracing?: Tracing | undefined;
  };
}

/** Flyte's secret service, to be mounted on a server. */
export interface MountedSecretService {
  /**
   * Answers every request of a Node http, https or http2 server: Connect, gRPC, gRPC-Web, REST, `/healthz`, `/readyz`,
   * `/metrics`. Other paths get 404. Never throws.
   */
  readonly handler: NodeHandler;
  /** Answers `/healthz` and `/readyz` alone, for a port of their own. Never throws. */
  readonly probes: NodeHandler;
  /** Answers `/metrics` alone, without credentials, for a port of its own. Never throws. */
  readonly metrics: NodeHandler;
  /** Adds the RPC services alone to a Connect router; authentication, limits and errors included. */
  routes(router: ConnectRouter): void;
  /**
   * Makes `/readyz` answer 503 at once, and resolves when the calls in flight have ended. Closes neither store nor
   * server.
   */
  close(): Promise<void>;
}

/** The secret service over one store. `serve` of the command line uses nothing else. */
export function secretService(options: SecretServiceOptions): MountedSecretService {
  return createSecretService(options, serveUnary);
}

/** {@link secretService}; without `serve` the Connect library answers all calls, for the test that compares the two. */
export function createSecretService(
  { store, config, onWrite, telemetry }: SecretServiceOptions,
  serve: typeof serveUnary | undefined,
): MountedSecretService {
  const { log, registry = new (loadPrometheus().Registry)(), tracing } = telemetry;
  const observe = createRpcMetrics(registry);
  const running = new Set<Promise<unknown>>();
  const onCall = (call: Promise<unknown>) => {
    const end = () => running.delete(ended);
    const ended: Promise<unknown> = call.then(end, end);
    running.add(ended);
  };
  const authentication = createAuthentication(config.auth, log);
  const routes = createRoutes({ store, config, authentication, log, onCall, onWrite });
  const rpcs = new Map(routes.addTo(createConnectRouter()).handlers.map((rpc) => [rpc.requestPath, rpc]));
  const findUnknownRpc = createUnknownRpc();
  const health = createHealth(store, log);
  const findForeignPage = config.auth.mode === "none" ? createPageGuard(config.allowedHosts ?? []) : () => undefined;
  const { maxBodyBytes: maxBytes = DEFAULT_BODY_BYTES, maxRequests = DEFAULT_MAX_REQUESTS } = config;
  const bodies = createBodyBudget(maxBytes);
  const setting = "secret.server.limits.bodyBytes";
  addBudgetMetrics(registry, { name: "rpc_server_requests", heldBytes: bodies.heldBytes, maxBytes, setting });
  const requests = createRequestLimit(maxRequests);
  addRefusedMetric(registry, requests);

  const serveCall = async (exchange: HttpExchange, rpc: UniversalHandler, { context, rest }: AboutCall) => {
    const body = bodies.read(exchange);
    context.respond = body.respond;
    const call = routes.unaryCalls.get(rpc.requestPath);
    if (call && (await serve?.(exchange, call, { authentication, body, context, rest, log, onCall }))) return;
    await serveRpc(exchange, rpc, { log, body, values: toContextValues(context), transform: rest?.transform });
  };

  const answer = (exchange: HttpExchange): void | Promise<void> => {
    const { req, res } = exchange;
    const path = pathOf(req);
    const rest = findRestRoute(path, req.method);
    const call = createCallContext({ authority: requestAuthority(req), pathName: rest?.pathName });
    const contentType = req.headers["content-type"] ?? "";
    const known = rpcs.get(rest?.rpcPath ?? path);
    const span = known && tracing?.startSpan(known.requestPath.slice(1), req.headers);
    onClose(exchange, (tookMs) => {
      requests.release(exchange);
      if (wasCutShort(req, call)) call.code = "canceled";
      const ms = Math.round(tookMs);
      log.debug({ method: req.method, path, status: res.statusCode, code: call.code, ms }, "request");
      if (known === undefined) return;
      const code = call.code ?? (res.writableFinished ? (UNHANDLED[res.statusCode] ?? "ok") : "canceled");
      const protocol = rest ? "rest" : protocolOf(contentType);
      const observed: ObservedCall = { rpcPath: known.requestPath, protocol, code, tookMs };
      observe(observed);
      span?.end(toSpanResult(observed));
    });

    // A web page learns nothing from the probes, and probes may use any host name.
    const probed = health.answer(exchange, path);
    if (probed !== undefined) return probed;
    const foreign = findForeignPage(req);
    if (foreign !== undefined) {
      call.code = FOREIGN.code;
      return refuseCall(exchange, { ...FOREIGN, message: foreign });
    }
    const rpc = known ?? findUnknownRpc(path, contentType);
    if (rpc !== undefined) {
      if (!requests.admit(exchange)) {
        call.code = BUSY.code;
        return refuseCall(exchange, BUSY);
      }
      return serveCall(exchange, rpc, { context: call, rest });
    }
    if (rest !== undefined) return replyError(exchange, methodNotAllowed(rest.allowed));
    if (path === "/metrics") return replyGuardedMetrics(exchange, { registry, authentication, log });
    if (path === "/.well-known/oauth-authorization-server") return replyIssuerMetadata(exchange, authentication);
    return replyError(exchange, NO_SUCH_PATH);
  };

  return {
    handler: guardHandler((req, res) => answer({ req, res }), log),
    probes: guardHandler((req, res) => {
      const exchange: HttpExchange = { req, res };
      return health.answer(exchange, pathOf(req)) ?? replyError(exchange, NO_SUCH_PROBE);
    }, log),
    metrics: guardHandler((req, res) => {
      const exchange: HttpExchange = { req, res };
      return pathOf(req) === "/metrics" ? replyMetrics(exchange, registry, log) : replyError(exchange, METRICS_ALONE);
    }, log),
    routes: (router) => {
      routes.addTo(router);
    },
    async close() {
      health.close();
      await Promise.all(running);
      authentication.close();
    },
  };
}

/** What is known of a call before its handler is chosen. */
interface AboutCall {
  readonly context: CallContext;
  readonly rest: RestRoute | undefined;
}

function pathOf({ url = "" }: NodeRequest): string {
  return url.split("?", 1)[0] ?? "";
}

function onClose({ res }: HttpExchange, callback: (tookMs: number) => void): void {
  const started = performance.now();
  res.once("close", () => callback(performance.now() - started));
}

/** The codes of a body that ends too early; the second one's is gRPC's for an envelope that is not whole. */
const CUT_SHORT = new Set(["invalid_argument", "unimplemented"]);

/** Whether a body could not be read that its client then reset: some clients, such as Node's, end it before. */
function wasCutShort(req: NodeRequest, { code = "", decoded }: CallContext): boolean {
  const wasReset = "stream" in req && req.stream.rstCode !== constants.NGHTTP2_NO_ERROR;
  return wasReset && !decoded && CUT_SHORT.has(code);
}

function protocolOf(contentType: string): ObservedCall["protocol"] {
  if (contentType.startsWith("application/grpc-web")) return "grpc_web";
  return contentType.startsWith("application/grpc") ? "grpc" : "connect";
}

function methodNotAllowed(allowed: readonly string[]): ErrorReply {
  const message = `this path takes ${allowed.join(", ")}`;
  return { status: 405, code: "unimplemented", message, headers: { allow: allowed.join(", ") } };
}

/** The codes of requests that were answered before a call began. */
const UNHANDLED: Readonly<Record<number, string>> = {
  400: "invalid_argument",
  405: "unimplemented",
  415: "invalid_argument",
};

/** Not `permission_denied`, which Flyte's clients take for a request to log in. */
const FOREIGN = { status: 403, code: "failed_precondition" } as const;

const BUSY: ErrorReply = {
  status: 503,
  code: "unavailable",
  message: "the server is answering as many calls as it can (secret.server.limits.requests): try again in a second",
  // gRPC's clients know the second header (https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
  headers: { "retry-after": "1", "grpc-retry-pushback-ms": "1000" },
};

const NO_SUCH_PATH: ErrorReply = {
  status: 404,
  code: "unimplemented",
  message: "there is nothing at this path: RPCs are at /PACKAGE.SERVICE/METHOD, REST under /secrets/api/v1",
};

const METRICS_ALONE: ErrorReply = { status: 404, code: "unimplemented", message: "there is /metrics here" };

const NO_SUCH_PROBE: ErrorReply = {
  status: 404,
  code: "unimplemented",
  message: "there are /healthz and /readyz here",
};
