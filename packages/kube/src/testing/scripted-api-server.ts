import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Clock } from "@flyte-secrets/core";
import { listenInTest } from "@flyte-secrets/testkit/vitest";
import { onTestFinished } from "vitest";
import { createKubeClient, type KubeClient } from "../client.ts";
import { type CredentialSource, createStaticCredentials } from "../credentials.ts";
import type { KubeClientOptions } from "../requests.ts";

/** A request as the API server saw it. */
export interface SeenRequest {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** What to answer: a status and JSON, or whatever the function does. */
export type Answer =
  | { readonly status: number; readonly json: unknown; readonly headers?: Readonly<Record<string, string>> }
  | ((res: ServerResponse, req: IncomingMessage) => void);

/** A failure as the API server words it. */
export function status(code: number, reason: string, more: object = {}): Answer {
  const json = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, ...more };
  return { status: code, json };
}

/**
 * An answer of 64 MiB without a line break, which is more than is ever read. `onClose` tells whether all of it was
 * sent.
 */
export function tooLong(
  code: number,
  onClose = (_isSent: boolean) => {},
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return (res) => {
    const chunk = "x".repeat(64 * 1024);
    let left = 1024;
    const write = () => {
      while (left > 0 && res.write(chunk)) left--;
      if (left <= 0) res.end();
    };
    res.on("drain", write).on("close", () => onClose(res.writableFinished));
    res.writeHead(code, headers);
    write();
  };
}

/**
 * For what no real API server can be made to do on demand: gives the answers of a script, one after the other, and
 * afterwards none at all.
 */
export async function startScriptedApiServer(script: Answer[]) {
  const seen: SeenRequest[] = [];
  let next = 0;
  const server = createServer(async (req, res) => {
    const { method, url, headers } = req;
    const answer = script[next++];
    seen.push({ method, url, authorization: headers.authorization, body: await text(req) });
    if (typeof answer === "function") answer(res, req);
    else if (answer !== undefined) {
      res.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
      res.end(JSON.stringify(answer.json));
    }
  });
  const url = await listenInTest(server);

  /** A client of it. */
  function connect(
    clock: Clock,
    options: Partial<KubeClientOptions> & { readonly credentials?: CredentialSource } = {},
  ): KubeClient {
    const { credentials = createStaticCredentials({ headers: {} }), ...rest } = options;
    const connection = {
      server: new URL(url),
      source: "test",
      namespace: undefined,
      tls: {},
      credentials,
    };
    const client = createKubeClient({ connection, qps: 1000, burst: 1000, timeoutMs: 30_000, clock, ...rest });
    onTestFinished(() => client.close());
    return client;
  }
  return { seen, connect, server: `the API server ${url} (test)` };
}
