import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { quote, SecretsError, trimEndOf } from "@flyte-secrets/core";
import {
  ClusterService,
  LookupService,
  SecretService,
  SelectClusterRequest_Operation,
  type SelectClusterRequestSchema,
} from "@flyte-secrets/idl";
import type { Connection } from "./connection.ts";
import { createOwnServerAgent } from "./own-server-connection.ts";
import { toSecretsError } from "./to-secrets-error.ts";
import { createTokenSource, type TokenSource } from "./token-source.ts";

/** Options of one call. */
export interface CallOptions {
  /** The cluster pool that is called. It only selects the cluster; project and domain must not be set. */
  readonly clusterPool?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Time limit in milliseconds. Default: the connection's. */
  readonly timeoutMs?: number | undefined;
}

/** What the error of a failed call depends on. */
export interface CallKind {
  /**
   * Whether it changes something, so that an error without a response warns that the change may have been made.
   * Default: false.
   */
  readonly changes?: boolean | undefined;
}

/** A connection to a SecretService, at the address that `SelectCluster` returns. */
export interface SecretsClient extends AsyncDisposable {
  readonly connection: Connection;
  /** Calls the cluster with the scope's secrets. Rejects with a SecretsError that has the server's message. */
  call<Answer>(
    options: CallOptions & CallKind,
    make: (service: SecretServiceClient, options: RpcOptions) => Promise<Answer>,
  ): Promise<Answer>;
  /** Closes its connections; calls in flight fail. */
  close(): void;
}

/**
 * Connect's client of the SecretService and of the LookupService beside it, without Connect's types, which need those of a
 * browser.
 */
export type SecretServiceClient = {
  readonly [Name in keyof Methods]: (
    request: MessageInitShape<Methods[Name]["input"]>,
    options?: RpcOptions,
  ) => Promise<MessageShape<Methods[Name]["output"]>>;
};

type Methods = (typeof SecretService)["method"] & (typeof LookupService)["method"];
type RpcOptions = {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly headers?: Record<string, string>;
};
type Resource = NonNullable<MessageInitShape<typeof SelectClusterRequestSchema>["resource"]>;

/** Opens a client. Nothing is sent before the first call. */
export function createSecretsClient(connection: Connection): SecretsClient {
  const { tls, ownServerRoute } = connection;
  // A socket has neither TLS nor a host name.
  const endpoint = ownServerRoute === undefined ? connection.endpoint : OWN_SERVER;
  const agent = createAgent(connection);
  const connect = (baseUrl: string, interceptors: Interceptor[]): Transport =>
    createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      defaultTimeoutMs: connection.timeoutMs,
      interceptors,
      nodeOptions: { agent, ...tls },
    });
  const withToken = authenticate(createTokenSource(connection, connect(endpoint, [])));
  const clusters = createClient(ClusterService, connect(endpoint, [withToken]));
  const services = new Map<string, SecretServiceClient>();

  function serviceAt(baseUrl: string): SecretServiceClient {
    const known = services.get(baseUrl);
    if (known !== undefined) return known;
    const transport = connect(baseUrl, [withToken]);
    const service = { ...createClient(SecretService, transport), ...createClient(LookupService, transport) };
    services.set(baseUrl, service);
    return service;
  }

  /** The addresses that have responded: a later failure there is not caused by a wrong setting. */
  const answered = new Set<string>();
  const selected = new Map<string, string>();
  async function select(clusterPool: string | undefined, options: RpcOptions): Promise<string> {
    const key = clusterPool ?? "";
    const known = selected.get(key);
    if (known !== undefined) return known;
    const baseUrl = await clusters
      .selectCluster(
        { operation: SelectClusterRequest_Operation.USE_SECRETS, resource: resourceOf(connection, clusterPool) },
        options,
      )
      .then(({ clusterEndpoint }) => resolveCluster(clusterEndpoint, endpoint), orConfigured(endpoint));
    selected.set(key, baseUrl);
    return baseUrl;
  }

  return {
    connection,
    async call({ clusterPool, signal, timeoutMs = connection.timeoutMs, changes }, make) {
      const options = { ...(signal && { signal }), timeoutMs };
      let baseUrl: string | undefined;
      try {
        baseUrl = await select(clusterPool, options);
        const answer = await make(serviceAt(baseUrl), options);
        answered.add(baseUrl);
        return answer;
      } catch (error) {
        // Until the cluster is known, no call has been sent that changes something.
        const failed = { ownServerRoute, timeoutMs, changes: changes && baseUrl !== undefined };
        const at = baseUrl ?? endpoint;
        const isKnown = answered.has(at) || baseUrl === endpoint;
        throw toSecretsError(error, {
          ...failed,
          endpoint: ownServerRoute === undefined ? at : connection.endpoint,
          isKnown,
        });
      }
    },
    close: () => agent.destroy(),
    async [Symbol.asyncDispose]() {
      agent.destroy();
    },
  };
}

/**
 * A client whose calls go to a service in this process, and nowhere else; `connection` gives the scope and the time
 * limit.
 */
export function wrapSecretService(service: SecretServiceClient, connection: Connection): SecretsClient {
  return {
    connection,
    async call({ signal, timeoutMs = connection.timeoutMs, changes }, make) {
      try {
        return await make(service, { ...(signal && { signal }), timeoutMs });
      } catch (error) {
        throw toSecretsError(error, { endpoint: connection.endpoint, timeoutMs, changes });
      }
    },
    close() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** The address in requests to the user's own server; its agent connects to the server whatever the address. */
const OWN_SERVER = "http://localhost";

function createAgent({ endpoint, ownServerRoute, proxies }: Connection): HttpAgent {
  if (ownServerRoute !== undefined) return createOwnServerAgent(ownServerRoute);
  // Node before 24.5 (22.21) ignores this option and uses no proxy.
  const options = { keepAlive: true, ...(proxies && { proxyEnv: proxies }) };
  return endpoint.startsWith("https:") ? new HttpsAgent(options) : new HttpAgent(options);
}

/** The resource that selects the cluster: the pool, else the narrowest part of the scope. */
function resourceOf({ org, project, domain }: Connection, clusterPool: string | undefined): Resource {
  const organization = org;
  if (clusterPool) return { case: "clusterPoolId", value: { organization, name: clusterPool } };
  if (project && domain) return { case: "projectId", value: { organization, domain, name: project } };
  if (domain) return { case: "domainId", value: { organization, name: domain } };
  return { case: "orgId", value: { name: org } };
}

/**
 * Returns the address to call. Only host and port of the response are used, as in Flyte's clients: a server behind a
 * proxy that terminates TLS reports plain HTTP, and credentials must not be sent by that.
 */
function resolveCluster(clusterEndpoint: string, endpoint: string): string {
  const host = trimEndOf(clusterEndpoint.trim().replace(/^(https?:\/\/|dns:\/\/\/?)/, ""), "/");
  if (host === "") return endpoint;
  const configured = new URL(endpoint);
  const url = URL.parse(`${configured.protocol}//${host}`);
  if (url === null) {
    throw new SecretsError(
      "internal",
      `${endpoint} names ${quote(clusterEndpoint)} as the cluster to call: no address.`,
    );
  }
  return url.origin === configured.origin ? endpoint : trimEndOf(url.href, "/");
}

/** Uses the configured address if the server has no SelectCluster (404 or `unimplemented`), and thus one cluster. */
const orConfigured =
  (endpoint: string) =>
  (error: unknown): string => {
    if (ConnectError.from(error).code === Code.Unimplemented) return endpoint;
    throw error;
  };

/** Adds the token to calls; when the server rejects it, gets another one and repeats the call once. */
const authenticate =
  (tokens: TokenSource): Interceptor =>
  (next) =>
  async (request) => {
    const given = await tokens.get(request.signal);
    if (given === undefined) return next(request);
    request.header.set(given.header, `Bearer ${given.token}`);
    try {
      return await next(request);
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
      const other = await tokens.get(request.signal, given);
      if (other === undefined || other.token === given.token) throw error;
      request.header.set(other.header, `Bearer ${other.token}`);
      return next(request);
    }
  };
