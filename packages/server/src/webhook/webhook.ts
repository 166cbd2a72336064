import type { IncomingMessage, ServerResponse } from "node:http";
import { type Awaitable, isSecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { parseGoDuration } from "../config/go-duration.ts";
import { reply } from "../rpc/reply.ts";
import {
  type AdmissionAnswer,
  type AdmissionRequest,
  decodeAdmissionReview,
  encodeAdmissionAnswer,
} from "./admission-review.ts";
import type { AdmissionTracing, TracedAdmission } from "./admission-tracing.ts";
import { type Admission, admit } from "./admit.ts";
import { createDeadlines, type Deadline } from "./deadlines.ts";
import type { MutatePodOptions } from "./mutate-pod.ts";
import { type Body, isJson, readBody } from "./read-body.ts";
import { lateRejection, type Rejection, toRejection } from "./to-rejection.ts";
import type { WebhookMetrics } from "./webhook-metrics.ts";
import { WEBHOOK_PATH } from "./webhook-path.ts";

/** The API server's own limit for objects is below 4 MiB. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Answers the requests of a Node HTTP/1.1 server. */
export type WebhookHandler = (req: IncomingMessage, res: ServerResponse) => void;

export interface WebhookOptions extends MutatePodOptions {
  /** How long the API server waits if its request doesn't say: `webhook.webhookTimeout`. */
  readonly timeoutMs: number;
  readonly telemetry: {
    readonly log: Logger;
    readonly metrics: WebhookMetrics;
    readonly tracing?: AdmissionTracing | undefined;
  };
}

/**
 * Serves {@link WEBHOOK_PATH} (spec page 5): an `AdmissionReview` in, one of the same version and `uid` out, before the time is
 * up that the request's `timeout` parameter names. What is no review gets a 4xx with a reason in plain text.
 */
export function createWebhook(options: WebhookOptions): WebhookHandler {
  const deadlines = createDeadlines();
  const readTarget = createTargetReader(options.timeoutMs);
  const { log, metrics, tracing } = options.telemetry;

  function onBody(exchange: Exchange, body: Body): void {
    if (body.tooLong) {
      refuse(exchange, { status: 413, text: `the body is over the limit of ${MAX_BODY_BYTES} bytes` });
      return;
    }
    if (body.text === "") {
      refuse(exchange, { status: 400, text: "the body is empty: send an AdmissionReview" });
      return;
    }
    let request: AdmissionRequest;
    try {
      request = decodeAdmissionReview(body.text);
    } catch (error) {
      if (!isSecretsError(error)) throw error;
      refuse(exchange, { status: 400, text: error.message });
      return;
    }
    decide({ exchange, request, traced: tracing?.begin(exchange.req.headers) });
  }

  function refuse({ req, res, started }: Exchange, { status, text, headers = {} }: Misfit): void {
    reply({ req, res }, { status, text: `${text}\n`, headers });
    metrics.requestEnded(status, started);
  }

  /** Answers once: with the decision, or when it is late. */
  function decide(review: Review): void {
    const { request, traced } = review;
    const { signal, listeners } = review.exchange.deadline;
    if (signal.aborted) {
      rejectLate(review);
      return;
    }
    let admission: Awaitable<Admission>;
    try {
      admission = traced ? traced.decide(() => admit(request, options, signal)) : admit(request, options, signal);
    } catch (error) {
      rejectFor(review, error);
      return;
    }
    if (!(admission instanceof Promise)) {
      accept(review, admission);
      return;
    }
    const onLate = () => rejectLate(review);
    listeners.add(onLate);
    admission.then(
      (admission) => listeners.delete(onLate) && accept(review, admission),
      (error) => listeners.delete(onLate) && rejectFor(review, error),
    );
  }

  function accept(review: Review, admission: Admission): void {
    metrics.admitted(admission);
    review.traced?.admitted(admission);
    answer(review, admission.answer);
  }

  function rejectFor(review: Review, error: unknown): void {
    reject(review, toRejection(error, log.child({ namespace: review.request.namespace })));
  }

  function rejectLate(review: Review): void {
    const { uid, namespace } = review.request;
    log.warn({ uid, namespace }, "pod rejected: no decision in time");
    reject(review, lateRejection());
  }

  function reject(review: Review, rejection: Rejection): void {
    metrics.rejected(rejection.code);
    review.traced?.rejected(rejection);
    answer(review, rejection.answer);
  }

  function answer({ exchange: { res, started }, request }: Review, decision: AdmissionAnswer): void {
    const text = encodeAdmissionAnswer(request, decision);
    // Nearly always; Node writes a text of single bytes with less copying than one that could be any.
    const isAscii = Buffer.byteLength(text) === text.length;
    res.setHeader("content-type", "application/json").end(text, isAscii ? "latin1" : "utf8");
    metrics.requestEnded(200, started);
  }

  return (req, res) => {
    const started = performance.now();
    metrics.requestStarted();
    const target = readTarget(req.url ?? "");
    const exchange: Exchange = { req, res, started, deadline: deadlines.after(target.timeoutMs, started) };
    const misfit = findMisfit(req, target);
    if (misfit === undefined) readBody(req, MAX_BODY_BYTES, (body) => onBody(exchange, body));
    else refuse(exchange, misfit);
  };
}

/** A request under way. */
interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The `performance.now()` of its beginning. */
  readonly started: number;
  readonly deadline: Deadline;
}

/** A review that waits for its answer. */
interface Review {
  readonly exchange: Exchange;
  readonly request: AdmissionRequest;
  readonly traced: TracedAdmission | undefined;
}

/** Why a request is not for the webhook to answer. */
interface Misfit {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is wrong with a request before its body is looked at. */
function findMisfit(req: IncomingMessage, { path }: Target): Misfit | undefined {
  if (path !== WEBHOOK_PATH) return { status: 404, text: `there is nothing here: reviews go to ${WEBHOOK_PATH}` };
  if (req.method !== "POST") return { status: 405, text: "use POST", headers: { allow: "POST" } };
  return isJson(req) ? undefined : { status: 415, text: "the content type must be application/json" };
}

/** What the address of a request says. */
interface Target {
  readonly path: string;
  readonly timeoutMs: number;
}

/** Reads addresses such as `/mutate--v1-pod?timeout=10s`; the API server sends the same again and again. */
function createTargetReader(defaultMs: number): (url: string) => Target {
  let last = { url: WEBHOOK_PATH, target: { path: WEBHOOK_PATH, timeoutMs: defaultMs } };
  return (url) => {
    if (url !== last.url) {
      const [path = "", query = ""] = url.split("?", 2);
      const timeoutMs = parseGoDuration(new URLSearchParams(query).get("timeout") ?? "") || defaultMs;
      last = { url, target: { path, timeoutMs } };
    }
    return last.target;
  };
}
