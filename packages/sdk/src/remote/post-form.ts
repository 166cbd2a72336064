import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { text } from "node:stream/consumers";
import type { Connection } from "./connection.ts";

/** A form to send, and how. */
export interface FormOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: Connection["tls"];
  readonly signal: AbortSignal;
}

/** Posts a form and returns status and body, whatever the status; rejects when there is no answer. (fetch takes no certificates.) */
export async function postForm(
  url: URL,
  form: URLSearchParams,
  { headers, tls, signal }: FormOptions,
): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  request(url, {
    method: "POST",
    headers: { ...headers, accept: "application/json", "content-type": "application/x-www-form-urlencoded" },
    signal,
    ...tls,
  })
    .on("error", reject)
    .on("response", (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
    .end(form.toString());
  return promise;
}
