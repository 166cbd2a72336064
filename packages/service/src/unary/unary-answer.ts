import type { OutgoingHttpHeaders } from "node:http";
import { ConnectError } from "@connectrpc/connect";
import { encodeEnvelope, envelopeCompress } from "@connectrpc/connect/protocol";
import { codeToHttpStatus, contentTypeUnaryJson, errorToJson } from "@connectrpc/connect/protocol-connect";
import { grpcStatusOk, setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { trailerFlag } from "@connectrpc/connect/protocol-grpc-web";
import { compressionGzip } from "@connectrpc/connect-node";
import type { NodeResponse } from "@flyte-secrets/http";
import { LARGE_BYTES } from "../rpc/serve-rpc.ts";
import type { UnaryForm } from "./unary-form.ts";

/** Answers below this size are not compressed: the library's own default. */
const COMPRESS_MIN_BYTES = 1024;

/** Contents and permissions change from one call to the next, so that no cache may answer. */
const NO_STORE = { "cache-control": "no-store" };

/** The trailers of a call that succeeds. */
const SUCCESS = { "grpc-status": grpcStatusOk };

/** The whole answer to a call: the encoded message, or the error. */
export type UnaryAnswer = Uint8Array<ArrayBuffer> | string | ConnectError;

/** Writes the answer to a call as the library writes it: the same status, headers, body and trailers. */
export async function writeUnary(res: NodeResponse, form: UnaryForm, answer: UnaryAnswer): Promise<void> {
  if (form.protocol === "connect") {
    await writeConnect(res, form, answer);
    return;
  }
  const error = answer instanceof ConnectError ? answer : undefined;
  const message = answer instanceof ConnectError ? undefined : await toEnvelope(answer, form);
  const inBody = form.protocol === "grpc-web" && (await toEnvelope(toTrailerText(error), form, trailerFlag));
  const encoding = form.gzips && { "grpc-encoding": "gzip" };
  res.writeHead(200, { ...NO_STORE, "content-type": form.contentType, ...encoding });
  if (message) res.write(message);
  if (inBody) res.write(inBody);
  else res.addTrailers(toTrailers(error));
  res.end();
}

async function writeConnect(res: NodeResponse, form: UnaryForm, answer: UnaryAnswer): Promise<void> {
  const error = answer instanceof ConnectError ? answer : undefined;
  let body = answer instanceof ConnectError ? JSON.stringify(errorToJson(answer, undefined)) : answer;
  const headers: OutgoingHttpHeaders = { ...NO_STORE };
  let bytes = Buffer.byteLength(body);
  if (form.gzips && bytes >= COMPRESS_MIN_BYTES) {
    body = await compressionGzip.compress(toBytes(body));
    bytes = body.byteLength;
    headers["content-encoding"] = "gzip";
  }
  headers["content-length"] = String(bytes);
  headers["content-type"] = error ? contentTypeUnaryJson : form.contentType;
  for (const [name, value] of error?.metadata ?? []) headers[name] = value;
  res.writeHead(error ? codeToHttpStatus(error.code) : 200, headers);
  if (bytes < LARGE_BYTES) res.end(body);
  else endApart(res, toBytes(body));
}

/** Ends a large answer with its last byte: see {@link LARGE_BYTES}. */
function endApart(res: NodeResponse, body: Uint8Array<ArrayBuffer>): void {
  res.write(body.subarray(0, -1));
  res.end(body.subarray(-1));
}

async function toEnvelope(message: Uint8Array<ArrayBuffer> | string, { gzips }: UnaryForm, flag = 0) {
  const envelope = { flags: flag, data: toBytes(message) };
  const compression = gzips ? compressionGzip : null;
  const { flags, data } = await envelopeCompress(envelope, compression, COMPRESS_MIN_BYTES);
  return encodeEnvelope(flags, data);
}

function toBytes(body: Uint8Array<ArrayBuffer> | string): Uint8Array<ArrayBuffer> {
  return typeof body === "string" ? Buffer.from(body) : body;
}

/** The trailers of a call, by which gRPC tells its status. */
function toTrailers(error: ConnectError | undefined): Readonly<Record<string, string>> {
  return error === undefined ? SUCCESS : Object.fromEntries(setTrailerStatus(new Headers(), error));
}

function toTrailerText(error: ConnectError | undefined): string {
  const lines = Object.entries(toTrailers(error)).map(([name, value]) => `${name}: ${value}\r\n`);
  return lines.join("");
}
