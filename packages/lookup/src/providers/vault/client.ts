import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { type ConnectionFault, connectionFault, parseObject, SecretsError, trimEndOf } from "@flyte-secrets/core";

/** A response of Vault: its status, and its body if that is a JSON object. */
export interface VaultResponse {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface VaultCall {
  /** Path below `/v1/`. */
  readonly path: string;
  readonly token?: string;
  /** Sent with POST; without it the call is a GET. */
  readonly body?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface VaultClientOptions {
  readonly address: string;
  /** The CA of the server's certificate, PEM. Default: the system's CAs. */
  readonly ca?: string;
  readonly namespace: string;
}

export interface VaultClient {
  /**
   * Throws what `node:http` throws if there is no response, and `store_unavailable` for a redirect that cannot be
   * followed, for plain HTTP on a port for TLS or the reverse, and for a certificate that is not accepted.
   */
  call(call: VaultCall): Promise<VaultResponse>;
  close(): void;
}

/** A standby redirects to the active node, perhaps through a load balancer. */
const MAX_REDIRECTS = 3;

/**
 * A client of Vault's HTTP API (https://developer.hashicorp.com/vault/api-docs) with kept-alive connections. It does
 * not use `fetch`, which takes no CA in Node. If a standby redirects to the active node (307 or 308), the same call is
 * made there (https://developer.hashicorp.com/vault/docs/concepts/ha#client-redirection), but never from https to http,
 * which would expose the token.
 */
export function createVaultClient({ address, ca, namespace }: VaultClientOptions): VaultClient {
  const base = trimEndOf(address, "/");
  const plain = new HttpAgent({ keepAlive: true });
  const secure = new HttpsAgent({ keepAlive: true, ...(ca && { ca }) });

  function start(url: URL, { token, body, signal }: VaultCall): ClientRequest {
    const isPlain = url.protocol === "http:";
    return (isPlain ? requestHttp : requestHttps)(url, {
      agent: isPlain ? plain : secure,
      signal,
      method: body ? "POST" : "GET",
      headers: {
        "x-vault-request": "true",
        ...(token && { "x-vault-token": token }),
        ...(namespace && { "x-vault-namespace": namespace }),
      },
    });
  }

  async function callAt(url: URL, call: VaultCall, redirects: number): Promise<VaultResponse> {
    const answer = await send(start(url, call), call.body && JSON.stringify(call.body)).catch((error) => {
      throw toFault(url, error) ?? error;
    });
    // This is how servers written in Go, such as Vault, respond to plain HTTP on a port for TLS.
    if (url.protocol === "http:" && answer.status === 400 && answer.body === undefined) throw faultOf(url, "no HTTP");
    const next = answer.location && redirectTarget(url, answer.location, redirects);
    return next ? await callAt(next, call, redirects + 1) : answer;
  }

  return {
    call: (call) => callAt(new URL(`${base}/v1/${call.path}`), call, 0),
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

function toFault(url: URL, error: unknown): SecretsError | undefined {
  const fault = connectionFault(error, url.protocol === "https:");
  return fault && faultOf(url, fault);
}

function faultOf({ origin }: URL, fault: ConnectionFault): SecretsError {
  return new SecretsError("store_unavailable", `Vault at ${origin} ${FAULTS[fault]}`);
}

const FAULTS: Readonly<Record<ConnectionFault, string>> = {
  "no TLS": "does not speak TLS: if it speaks plain HTTP, write http:// in vaultConfig.address",
  "no HTTP": "gives no answer to plain HTTP: if it speaks TLS, write https:// in vaultConfig.address",
  untrusted: "has a certificate that is not trusted: name its CA's file in vaultConfig.caFile",
  expired: "has a certificate that has expired or is not valid yet: have it renewed, or set the clocks",
  "other name": "has a certificate for another name: write a name that it has in vaultConfig.address",
  "certificate wanted": "wants a client certificate, which is not supported: use an address without",
};

/** The URL that a redirect names. Throws if it must not be followed. */
function redirectTarget(from: URL, location: string, redirects: number): URL {
  const to = URL.parse(location, from.href);
  const fail = (problem: string) =>
    new SecretsError(
      "store_unavailable",
      `Vault at ${from.origin} redirects ${problem}: set its api_addr to an address that serves this call`,
    );
  if (to === null || !["http:", "https:"].includes(to.protocol)) throw fail("to an invalid address");
  if (to.protocol === "http:" && from.protocol === "https:")
    throw fail("from https to http, which would expose the token");
  if (redirects >= MAX_REDIRECTS) throw fail(`more than ${MAX_REDIRECTS} times`);
  return to;
}

interface Sent extends VaultResponse {
  /** Target of a redirect (307 or 308). */
  readonly location: string | undefined;
}

function send(request: ClientRequest, body: string | undefined): Promise<Sent> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      text(response).then((content) => resolve({ ...toAnswer(response, content) }), reject);
    });
    request.end(body);
  });
}

function toAnswer({ statusCode: status = 0, headers }: IncomingMessage, content: string): Sent {
  const isRedirect = status === 307 || status === 308;
  return { status, body: parseObject(content), location: isRedirect ? headers.location : undefined };
}
