import type { IncomingHttpHeaders } from "node:http";
import { type Agent, type RequestOptions, request } from "node:https";

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Target {
  readonly port: number;
  /** Verifies the server's certificate. */
  readonly ca: string;
  readonly agent?: Agent;
}

/** Sends a body to the webhook as the API server does, unless told otherwise. */
export function send(target: Target, body: string | Uint8Array, options: RequestOptions = {}): Promise<Answer> {
  const headers = {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...(options.headers as Record<string, string>),
  };
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      method: "POST",
      path: "/mutate--v1-pod?timeout=10s",
      ...target,
      ...options,
      headers,
    });
    sent.once("error", reject);
    sent.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, text: Buffer.concat(chunks).toString() });
      });
    });
    sent.end(body);
  });
}

/** Sends a review and reads the answer, which must be one. */
export async function review(target: Target, body: unknown, options?: RequestOptions): Promise<unknown> {
  const answer = await send(target, JSON.stringify(body), options);
  if (answer.status !== 200) throw new Error(`status ${answer.status}: ${answer.text}`);
  return JSON.parse(answer.text);
}

/** Sends a review and gives the patch, as text; throws with the answer of a pod that is not let in or not changed. */
export async function postPod(target: Target, body: unknown, options?: RequestOptions): Promise<string> {
  const answer = await send(target, JSON.stringify(body), options);
  const { response } = JSON.parse(answer.text);
  if (response?.allowed !== true || response.patch === undefined) throw new Error(`no secret: ${answer.text}`);
  return Buffer.from(response.patch, "base64").toString();
}
