import { request as requestHttp } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as requestHttps } from "node:https";
import { connect, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { onTestFinished } from "vitest";
import { AS_IN_THE_IMAGE, type AttackedProgram } from "./under-attack.ts";

/** One request of an attacker's. */
export interface AttackRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** An answer, as far as the attacks look at it; `code` is that of Connect's or gRPC's error, or `ok`. */
export interface AttackAnswer {
  readonly status: number;
  readonly code: string;
}

/** Starts the service as the image does. */
export function startAttackedService(args: readonly string[] = []): Promise<ServeProcess> {
  return startServe({ args, env: { NODE_OPTIONS: AS_IN_THE_IMAGE.join(" ") } });
}

/** The service, and a client of its own that lists secrets, on a new connection each time. */
export function attackedService({ process, endpoint, token }: ServeProcess): AttackedProgram {
  if (process.pid === undefined) throw new Error("the service has ended");
  const headers = token === "" ? {} : { authorization: `Bearer ${token}` };
  return {
    pid: process.pid,
    async ask() {
      const { status } = await sendHttp1(endpoint, { path: "/secrets/api/v1?limit=1", method: "GET", headers });
      if (status !== 200) throw new Error(`the good client got ${status}`);
    },
  };
}

/** Sends one request over HTTP/1.1, on a connection of its own. Rejects where that is ended without an answer. */
export function sendHttp1(endpoint: string, { path, method = "POST", headers = {}, body = "" }: AttackRequest) {
  const request = endpoint.startsWith("https:") ? requestHttps : requestHttp;
  return new Promise<AttackAnswer>((resolve, reject) => {
    const sent = request(endpoint + path, { method, headers, agent: false, rejectUnauthorized: false });
    sent.on("error", reject);
    sent.on("response", async (response) => {
      response.on("error", reject);
      try {
        resolve(toAnswer({ ...response.headers, ":status": response.statusCode }, await buffer(response)));
      } catch (error) {
        reject(error);
      }
      sent.destroy();
    });
    sent.end(body);
  });
}

/** Sends requests over HTTP/2, all on one connection and at once. Rejects where one is reset without an answer. */
export async function sendHttp2(endpoint: string, requests: readonly AttackRequest[]): Promise<AttackAnswer[]> {
  // Else Node's client gives up when all requests together are large.
  const session = connectHttp2(endpoint, { rejectUnauthorized: false, maxSessionMemory: 2_000 });
  session.on("error", () => {});
  try {
    return await Promise.all(
      requests.map(async ({ path, method = "POST", headers = {}, body = "" }) => {
        const stream = session.request({ ":path": path, ":method": method, ...headers }, { endStream: false });
        const received: Record<string, unknown> = {};
        stream.on("response", (headers) => Object.assign(received, headers));
        stream.on("trailers", (trailers) => Object.assign(received, trailers));
        stream.end(body);
        const text = await buffer(stream);
        return toAnswer(received, text);
      }),
    );
  } finally {
    session.destroy();
  }
}

function toAnswer(headers: Readonly<Record<string, unknown>>, body: Buffer): AttackAnswer {
  const [, connect, grpcWeb] = /"code":"(\w+)"|grpc-status: (\d+)/.exec(body.toString("latin1")) ?? [];
  return { status: Number(headers[":status"]), code: String(headers["grpc-status"] ?? connect ?? grpcWeb ?? "ok") };
}

/** A connection that sends these bytes and is kept until the test is over, or the server ends it. */
export function holdConnection(port: number, bytes: string | Uint8Array = ""): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.on("error", () => resolve(socket));
    socket.on("connect", () => socket.write(bytes, () => resolve(socket)));
    // What the server says is read and thrown away, so that it isn't the one who waits.
    socket.resume();
  });
}
