import { gunzipSync } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressedFlag } from "@connectrpc/connect/protocol";
import type { HttpExchange, NodeResponse } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Authentication } from "../auth/authentication.ts";
import type { RestRoute } from "../rest/rest-routes.ts";
import type { RequestBody } from "../rpc/body-budget.ts";
import { authoriseCall, type CallContext } from "../rpc/call-context.ts";
import { callerIsGone, sanitize, toConnectError } from "../rpc/connect-errors.ts";
import { writeUnary } from "./unary-answer.ts";
import type { RunUnary, UnaryCall } from "./unary-call.ts";
import { headerOf, recognizeUnary, type UnaryForm } from "./unary-form.ts";

export interface ServeUnaryOptions {
  readonly authentication: Pick<Authentication, "authorise">;
  readonly body: RequestBody;
  readonly context: CallContext;
  /** The route of a request to a REST path. */
  readonly rest: RestRoute | undefined;
  readonly log: Logger;
  /** Called with the call when it begins to run. */
  readonly onCall: (running: Promise<unknown>) => void;
}

/**
 * Answers a unary call in one straight line: credentials, body, message, handler, answer. Resolves to whether it did.
 *
 * It does not for anything that clients don't send: another content type, an unknown compression, refused credentials,
 * a body that is too long or cannot be read. Then it has done nothing but read, and the request, with `body` from its
 * first byte, is the Connect library's to answer, which so is the only judge of what is odd (decision 299).
 */
export async function serveUnary(
  { req, res }: HttpExchange,
  call: UnaryCall,
  { authentication, body, context, rest, log, onCall }: ServeUnaryOptions,
): Promise<boolean> {
  const form = recognizeUnary(req, call, rest);
  if (form === undefined) return false;
  using caller = new Caller(res, form.timeoutMs);
  const requestHeader = { get: (name: string) => headerOf(req, name.toLowerCase()) };
  const { signal } = caller;
  let run: RunUnary;
  try {
    await authoriseCall(context, authentication, requestHeader);
    const bytes = form.query?.read() ?? (await readBody(body, call, headerOf(req, "content-length")));
    const message = bytes && toMessage(bytes, form, call);
    if (message === undefined) return false;
    run = call.decode(message, { binary: form.binary, pathName: context.pathName });
  } catch {
    return false;
  }
  context.decoded = true;
  const respond = async () => {
    const answer = await run({ signal, requestHeader });
    context.respond?.(answer.length);
    return answer;
  };
  const running = respond().catch((error: unknown) => {
    const failure = toConnectError(error, { log, signal });
    sanitize(failure, context);
    return failure;
  });
  onCall(running);
  try {
    await writeUnary(res, form, await running);
  } catch (error) {
    log.debug({ rpc: call.rpcPath, reason: String(error) }, "the answer could not be sent");
    res.destroy();
  }
  return true;
}

/** The caller of one call, who may set a deadline and may go away. Dispose of it when the call is over. */
class Caller {
  readonly #abort = new AbortController();
  readonly #res: NodeResponse;
  readonly #deadline: NodeJS.Timeout | undefined;
  readonly #leave = () => this.#abort.abort(callerIsGone());

  constructor(res: NodeResponse, timeoutMs: number | undefined) {
    this.#res = res;
    res.once("close", this.#leave);
    if (timeoutMs !== undefined) this.#deadline = setTimeout(() => this.#abort.abort(timedOut()), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#deadline);
    this.#res.off("close", this.#leave);
  }
}

/** As the library says it. */
function timedOut(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}

const ENVELOPE_BYTES = 5;

/** All of the body; undefined when it is longer than a request may be, does not arrive, or has another length. */
async function readBody(
  body: RequestBody,
  { readMaxBytes }: UnaryCall,
  contentLength: string | null,
): Promise<Uint8Array | undefined> {
  const promised = contentLength === null ? undefined : Number(contentLength);
  const maxBytes = readMaxBytes + ENVELOPE_BYTES;
  if (promised !== undefined && promised > maxBytes) return undefined;
  const bytes = await body.whole(maxBytes);
  return promised === undefined || promised === bytes?.byteLength ? bytes : undefined;
}

/**
 * Messages that are larger, before or after they are decompressed, are left to the library, which does not block
 * meanwhile: megabytes of blocks without content take a second.
 */
const GUNZIP_MAX_BYTES = 16 * 1024;

/** The message in a body. Over gRPC the body is one envelope: a flag, the length, the message. */
function toMessage(body: Uint8Array, form: UnaryForm, { readMaxBytes }: UnaryCall): Uint8Array | undefined {
  const isBare = form.protocol === "connect";
  const flags = isBare ? Number(form.gzipped) : body[0];
  const message = isBare ? body : body.subarray(ENVELOPE_BYTES);
  if (!isBare && readLength(body) !== message.byteLength) return undefined;
  if (flags === 0) return message.byteLength <= readMaxBytes ? message : undefined;
  if (flags !== compressedFlag || !form.gzipped || message.byteLength > GUNZIP_MAX_BYTES) return undefined;
  return gunzipSync(message, { maxOutputLength: Math.min(GUNZIP_MAX_BYTES, readMaxBytes) });
}

function readLength({ buffer, byteOffset, byteLength }: Uint8Array): number | undefined {
  return byteLength < ENVELOPE_BYTES ? undefined : new DataView(buffer, byteOffset).getUint32(1);
}
