import { type ClientRequest, Agent as HttpAgent, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import { trimEndOf } from "@flyte-secrets/core";

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
  /** Throws what `node:http` throws when no answer comes. */
  call(call: VaultCall): Promise<VaultAnswer>;
  close(): void;
}

/** Calls Vault's HTTP interface (https://developer.hashicorp.com/vault/api-docs), connections kept. Node's `fetch` has no CA of one's own. */
export function createVaultClient({ address, ca, namespace }: VaultClientOptions): VaultClient {
  const base = trimEndOf(address, "/");
  const isPlain = base.startsWith("http://");
  const agent = isPlain ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ keepAlive: true, ...(ca && { ca }) });
  return {
    async call({ path, token, body, signal }) {
      const request = (isPlain ? requestHttp : requestHttps)(`${base}/v1/${path}`, {
        agent,
        signal,
        method: body ? "POST" : "GET",
        headers: {
          "x-vault-request": "true",
          ...(token && { "x-vault-token": token }),
          ...(namespace && { "x-vault-namespace": namespace }),
        },
      });
      return await send(request, body && JSON.stringify(body));
    },
    close: () => agent.destroy(),
  };
}

function send(request: ClientRequest, body: string | undefined): Promise<VaultAnswer> {
  return new Promise((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      text(response).then(
        (content) => resolve({ status: response.statusCode ?? 0, body: parseObject(content) }),
        reject,
      );
    });
    request.end(body);
  });
}

function parseObject(content: string): VaultAnswer["body"] {
  try {
    const parsed: unknown = JSON.parse(content);
    // An object of JSON has text keys.
    if (typeof parsed === "object" && parsed !== null) return parsed as VaultAnswer["body"];
  } catch {
    // Not JSON: not Vault's.
  }
  return undefined;
}
