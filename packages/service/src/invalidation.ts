import { lookup } from "node:dns/promises";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { raceSignal, type SecretId, SecretsError, trimEndOf } from "@flyte-secrets/core";
import type { Logger } from "pino";

const DEFAULT_PORT = "9444";

/** Removes a secret from the webhooks' caches. Resolves when all have answered or the time is up; never throws. */
export type Invalidate = (id: SecretId) => Promise<void>;

export interface InvalidationOptions {
  /**
   * Such as `http://flyte-pod-webhook-headless:9444`; scheme http and port 9444 if it names none. Empty: no webhook.
   */
  readonly webhookURL: string;
  /** The bearer token to send, for webhooks that require one. */
  readonly token?: string | undefined;
  readonly log: Logger;
  /** Limit of name resolution and all requests together. Default 5 s. */
  readonly timeoutMs?: number;
}

/**
 * Posts to every address of the webhook's host name, as Flyte's service does for its own webhook, and logs a warning
 * with the number of pods that could not be reached. A write waits for it, because whoever has just rotated a secret
 * may start the next task at once (S-25).
 */
export function createInvalidation({ webhookURL, token, log, timeoutMs = 5_000 }: InvalidationOptions): Invalidate {
  if (webhookURL === "") return async () => {};
  const url = parseWebhookUrl(webhookURL);
  return async ({ org, domain, project, name }) => {
    const body = JSON.stringify({ org, domain, project, name });
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const addresses = await resolve(url.hostname, signal);
      const results = await Promise.allSettled(addresses.map((address) => post({ url, address, body, token, signal })));
      const failures = results.flatMap((result) => (result.status === "rejected" ? [describe(result.reason)] : []));
      if (failures.length === 0) return;
      log.warn(
        { url: url.href, failures },
        `cache not invalidated on ${failures.length}/${addresses.length} webhook pod(s)`,
      );
    } catch (error) {
      log.warn(
        { url: url.href, failures: [describe(error)] },
        "cache not invalidated: the webhook's host is not known",
      );
    }
  };
}

/** The URL to post to. Throws `invalid_config`, naming the setting, for text that is none. */
export function parseWebhookUrl(text: string): URL {
  const [, scheme = "http://", rest = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/i.exec(text) ?? [];
  const [, authority = "", path = ""] = /^([^/?#]*)(.*)$/.exec(rest) ?? [];
  const port = /:\d+$/.test(authority) ? "" : `:${DEFAULT_PORT}`;
  const url = URL.parse(`${scheme}${authority}${port}${path}`);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new SecretsError(
      "invalid_config",
      "secret.webhookURL: must be an http or https URL, or empty for no webhook",
    );
  }
  url.pathname = `${trimEndOf(url.pathname, "/")}/invalidate-secret`;
  return url;
}

async function resolve(hostname: string, signal: AbortSignal): Promise<string[]> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const toError = () => new Error("name resolution timed out");
  const found = await raceSignal(signal, () => lookup(host, { all: true }), toError);
  return found.map(({ address }) => address);
}

interface Post {
  readonly url: URL;
  readonly address: string;
  readonly body: string;
  readonly token: string | undefined;
  readonly signal: AbortSignal;
}

function post({ url, address, body, token, signal }: Post): Promise<void> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const sent = request({
      method: "POST",
      host: address,
      port: url.port,
      path: url.pathname,
      servername: url.hostname,
      headers: {
        host: url.host,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      agent: false,
      signal,
    });
    sent.once("response", (response) => {
      response.resume();
      const { statusCode = 0 } = response;
      if (statusCode >= 200 && statusCode < 300) resolve();
      else reject(new Error(`${address} answered ${statusCode}`));
    });
    sent.once("error", (error) => reject(new Error(`${address}: ${error.message}`)));
    sent.end(body);
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
