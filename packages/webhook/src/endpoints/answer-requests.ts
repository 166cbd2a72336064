import { type IncomingMessage, type RequestListener, type ServerResponse, STATUS_CODES } from "node:http";
import type { MaybePromise } from "@flyte-secrets/core";
import type { Reply } from "@flyte-secrets/http";
import { measureJson } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { BodyReader, Endpoint } from "./endpoint.ts";
import { type BodyListener, isJson, readBody } from "./read-body.ts";
import type { CountedRequest, RequestBudget, RequestHold } from "./request-budget.ts";

/** Observes requests, for metrics. Must not throw. */
export interface RequestObserver {
  started(): void;
  /** `status` is undefined when the client closed the connection before it was answered. */
  ended(status: number | undefined, durationMs: number): void;
}

export interface AnswerOptions {
  readonly endpoint: Endpoint;
  readonly budget: RequestBudget;
  readonly observer?: RequestObserver | undefined;
  readonly log: Logger;
}

/**
 * Makes a request listener of an {@link Endpoint}. Requests are read and answered here and nowhere else, so that none
 * can end the process: an error that an endpoint throws, now or later, is logged, and the request is answered with 500.
 */
export function answerRequests(options: AnswerOptions): RequestListener {
  return (req, res) => new RequestInFlight(req, res, options).begin();
}

/** Shorter bodies, in characters, are parsed without being measured: their objects are small. */
const MEASURED_FROM = 64 * 1024;
/** Most values and names in the JSON of a body: no object of the 1.5 MiB that etcd accepts has as many. */
const MAX_PARTS = 750_000;
/** Approximate memory of one value or name once it is parsed. */
const PART_BYTES = 40;

/** A request from its arrival to the end of its response. */
class RequestInFlight implements BodyListener, CountedRequest {
  readonly started = performance.now();
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #options: AnswerOptions;
  readonly #hold: RequestHold;
  #reader: BodyReader | undefined;
  #stopReading: (() => void) | undefined;
  #isAnswered = false;

  constructor(req: IncomingMessage, res: ServerResponse, options: AnswerOptions) {
    this.#req = req;
    this.#res = res;
    this.#options = options;
    options.observer?.started();
    // Emitted once for each response.
    res.on("close", () => this.#close());
    this.#hold = options.budget.hold(this);
  }

  begin(): void {
    this.#attempt(() => {
      const result = this.#options.endpoint(this.#req);
      if (!("read" in result)) return result;
      if (!isJson(this.#req)) return NOT_JSON;
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
      return this.#reader?.read(body);
    });
  }

  /** Runs every call of the endpoint, so that no error escapes. */
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

  /** The response was sent, or the client closed the connection. */
  #close(): void {
    this.#hold.release();
    if (this.#isAnswered) return;
    this.#stopReading?.();
    this.#options.observer?.ended(undefined, performance.now() - this.started);
  }
}

function write(res: ServerResponse, { status, text, headers }: Reply): void {
  const bytes = Buffer.byteLength(text);
  const all = { "content-type": "text/plain; charset=utf-8", ...headers, "content-length": bytes };
  // With its reason phrase: Node would keep the one of an earlier response that could not be written.
  res.writeHead(status, STATUS_CODES[status], all);
  // A text of single bytes, as nearly all are, is written with less copying: a twentieth of an admission.
  res.end(text, bytes === text.length ? "latin1" : "utf8");
}

const NOT_JSON: Reply = { status: 415, text: "the content type must be application/json\n" };

const FAULT: Reply = { status: 500, text: "internal error, see the webhook's log\n" };

const OVER_BUDGET: Reply = {
  status: 503,
  text: "the requests in flight exceed webhook.limits.allBodiesBytes: send this one again\n",
  headers: { "retry-after": "1" },
};

const TOO_MANY_PARTS: Reply = { status: 413, text: `the body has more than ${MAX_PARTS} values and names\n` };

function tooLong(maxBytes: number | undefined): Reply {
  return { status: 413, text: `the body is over the limit of ${maxBytes} bytes\n` };
}
