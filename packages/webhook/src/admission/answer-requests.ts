import { type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from "node:http";
import type { MaybePromise } from "@flyte-secrets/core";
import type { Reply, TrackedConnection } from "@flyte-secrets/http";
import { measureJson } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { BodyReader, Endpoint } from "../endpoints/endpoint.ts";
import { type BodyListener, isJson, readBody } from "./read-body.ts";
import type { CountedRequest, RequestBudget, RequestHold } from "./request-budget.ts";

/** Hears of each request. */
export interface RequestObserver {
  started(): void;
  /** With the status of the answer, or without one when the client went away before. */
  ended(status: number | undefined, durationMs: number): void;
}

export interface AnswerOptions {
  readonly endpoint: Endpoint;
  readonly budget: RequestBudget;
  readonly observer?: RequestObserver | undefined;
  /** The connection that a request came on. */
  readonly findConnection: (req: IncomingMessage) => TrackedConnection | undefined;
  readonly log: Logger;
}

/** The listeners of a Node HTTP/1.1 server. */
export interface RequestListeners {
  readonly request: RequestListener;
  /** For requests with `Expect: 100-continue`, whose clients are told to send the body once it is to be read. */
  readonly checkContinue: RequestListener;
}

/**
 * Answers requests by an {@link Endpoint}. Requests are read and answered here and nowhere else, so that none can end the process:
 * what an endpoint throws, at once or later, is logged, and the request is answered with 500.
 */
export function answerRequests(options: AnswerOptions): RequestListeners {
  return {
    request: (req, res) => takeRequest(req, res, options)?.begin(),
    checkContinue(req, res) {
      const { shouldKeepAlive } = res;
      // What follows an answer without `100 Continue` could be the body or the next request.
      res.shouldKeepAlive = false;
      takeRequest(req, res, options)?.begin(() => {
        res.shouldKeepAlive = shouldKeepAlive;
        res.writeContinue();
      });
    },
  };
}

/** Characters of a body that may become whatever they like: what they can become is small. */
const MEASURED_FROM = 64 * 1024;
/** Values and names of a body's JSON: more than there are in an object of the 1.5 MiB that etcd takes. */
const MAX_PARTS = 750_000;
/** What a part takes up once it is parsed, about. */
const PART_BYTES = 40;

/** Undefined for one that is not to be looked at. */
function takeRequest(req: IncomingMessage, res: ServerResponse, options: AnswerOptions): Exchange | undefined {
  const connection = options.findConnection(req);
  return connection?.takeRequest() ? new Exchange(req, res, connection, options) : undefined;
}

/** One request and its answer. */
class Exchange implements BodyListener, CountedRequest {
  readonly started = performance.now();
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #options: AnswerOptions;
  readonly #hold: RequestHold;
  #reader: BodyReader | undefined;
  readonly #connection: TrackedConnection;
  #stopReading: (() => void) | undefined;
  #hasArrived = false;
  #isAnswered = false;

  constructor(req: IncomingMessage, res: ServerResponse, connection: TrackedConnection, options: AnswerOptions) {
    this.#req = req;
    this.#res = res;
    this.#connection = connection;
    this.#options = options;
    options.observer?.started();
    // Comes once.
    res.on("close", () => this.#close());
    this.#hold = options.budget.hold(this);
  }

  begin(sendContinue?: () => void): void {
    this.#attempt(() => {
      const result = this.#options.endpoint(this.#req);
      if (!("read" in result)) return result;
      if (!isJson(this.#req)) return NOT_JSON;
      sendContinue?.();
      this.#reader = result;
      this.#stopReading = readBody(this.#req, result.maxBytes, this);
      return undefined;
    });
  }

  giveWay(): void {
    this.#stopReading?.();
    this.#answer(OVER_BUDGET);
  }

  onSize(bytes: number): void {
    this.#hold.resize(bytes);
  }

  onBody(body: string | undefined): void {
    this.#attempt(() => {
      if (body === undefined) return tooLong(this.#reader?.maxBytes);
      if (body.length > MEASURED_FROM) {
        const { values, members } = measureJson(body, { parts: MAX_PARTS });
        if (values + members > MAX_PARTS) return TOO_MANY_PARTS;
        this.#hold.resize(body.length + PART_BYTES * (values + members));
        if (this.#isAnswered) return undefined;
      }
      // From now on it is the server's turn: the connection isn't idle.
      this.#connection.beginAnswer();
      this.#hasArrived = true;
      return this.#reader?.read(body);
    });
  }

  /** All that an endpoint does is done in here. */
  #attempt(work: () => MaybePromise<Reply> | undefined): void {
    try {
      const reply = work();
      if (reply instanceof Promise) reply.then((reply) => this.#answer(reply)).catch((error) => this.#fail(error));
      else if (reply !== undefined) this.#answer(reply);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#options.log.error({ err: error, method: this.#req.method }, "a request could not be answered");
    if (this.#res.headersSent) this.#res.destroy();
    else this.#answer(FAULT);
  }

  #answer(reply: Reply): void {
    if (this.#isAnswered || this.#res.destroyed) return;
    if (reply === OVER_BUDGET) this.#res.shouldKeepAlive = false;
    write(this.#res, reply);
    this.#isAnswered = true;
    this.#options.observer?.ended(reply.status, performance.now() - this.started);
  }

  /** The answer is sent, or nobody is there any more to get it. */
  #close(): void {
    this.#hold.release();
    this.#connection.endRequest();
    if (this.#hasArrived) this.#connection.endAnswer();
    if (this.#isAnswered) return;
    this.#stopReading?.();
    this.#options.observer?.ended(undefined, performance.now() - this.started);
  }
}

function write(res: ServerResponse, { status, text, headers }: Reply): void {
  const bytes = Buffer.byteLength(text);
  const all = { "content-type": "text/plain; charset=utf-8", ...headers, "content-length": bytes };
  // With its reason, since Node keeps that of an answer before, which could not be written.
  res.writeHead(status, STATUS_CODES[status], all);
  res.end(text);
}

const NOT_JSON: Reply = { status: 415, text: "the content type must be application/json\n" };

const FAULT: Reply = { status: 500, text: "internal error, see the webhook's log\n" };

const OVER_BUDGET: Reply = {
  status: 503,
  text: "the requests under way are over the limit of webhook.limits.allBodiesBytes: send this one again\n",
  headers: { "retry-after": "1" },
};

const TOO_MANY_PARTS: Reply = { status: 413, text: `the body has more than ${MAX_PARTS} values and names\n` };

function tooLong(maxBytes: number | undefined): Reply {
  return { status: 413, text: `the body is over the limit of ${maxBytes} bytes\n` };
}
