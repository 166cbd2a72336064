import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { type ConnectionFault, connectionFault, parseObject, SecretsError, trimEndOf } from "@flyte-secrets/core";

/** An answer of Vault's: its status, and its body where that is a JSON object. */
export interface VaultAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface VaultCall {
  /** Below `/v1/`. */
  readonly path: string;
  readonly token?: string;
  /** Sent with POST; without it the call is a GET. */
  readonly body?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface VaultClientOptions {
  readonly address: string;
  /** PEM. Default: the system's. */
  readonly ca?: string;
  readonly namespace: string;
}

export interface VaultClient {
  /**
   * Throws what `node:http` throws when no answer comes, and `store_unavailable` for an answer that leads nowhere, or
   * where one of TLS and plain HTTP meets the other, or a certificate isn't taken.
   */
  call(call: VaultCall): Promise<VaultAnswer>;
  close(): void;
}

/** A standby leads to the active node, perhaps by way of a balancer. */
const MAX_REDIRECTS = 3;

/**
 * Calls Vault's HTTP interface (https://developer.hashicorp.com/vault/api-docs), connections kept. Node's `fetch` has
 * no CA of one's own. Where a standby leads to the active node (307 or 308), the same call is made there
 * (https://developer.hashicorp.com/vault/docs/concepts/ha#client-redirection); from https never to http, which would
 * show the token.
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

  async function callAt(url: URL, call: VaultCall, redirects: number): Promise<VaultAnswer> {
    const answer = await send(start(url, call), call.body && JSON.stringify(call.body)).catch((error) => {
      throw toFault(url, error) ?? error;
    });
    // What servers written in Go, as Vault is, answer to plain HTTP on a port for TLS.
    if (url.protocol === "http:" && answer.status === 400 && answer.body === undefined) throw faultOf(url, "no HTTP");
    const next = answer.location && leadsTo(url, answer.location, redirects);
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
  expired: "has a certificate that is over, or not good yet: have it renewed, or set the clocks",
  "other name": "has a certificate for another name: write a name that it has in vaultConfig.address",
  "certificate wanted": "wants a client certificate, which is not supported: use an address without",
};

/** Where a redirect leads. */
function leadsTo(from: URL, location: string, redirects: number): URL {
  const to = URL.parse(location, from.href);
  const fail = (problem: string) =>
    new SecretsError(
      "store_unavailable",
      `Vault at ${from.origin} redirects ${problem}: set its api_addr to an address that serves this call`,
    );
  if (to === null || !["http:", "https:"].includes(to.protocol)) throw fail("to what is no address");
  if (to.protocol === "http:" && from.protocol === "https:")
    throw fail("from https to http, which would show the token");
  if (redirects >= MAX_REDIRECTS) throw fail(`more than ${MAX_REDIRECTS} times`);
  return to;
}

interface Sent extends VaultAnswer {
  /** Of a redirect that asks for the same call elsewhere. */
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
