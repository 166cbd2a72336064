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
import { readBody } from "./read-body.ts";
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
  const timeoutOf = createTimeoutReader(options.timeoutMs);
  const { log, metrics, tracing } = options.telemetry;

  return (req, res) => {
    const started = performance.now();
    metrics.requestStarted();
    const deadline = deadlines.after(timeoutOf(req.url ?? ""));
    const refuse = (status: number, text: string, headers = {}) => {
      reply({ req, res }, { status, text: `${text}\n`, headers });
      metrics.requestEnded(status, started);
    };
    const misfit = findMisfit(req);
    if (misfit !== undefined) return refuse(misfit.status, misfit.text, misfit.headers);
    readBody(req, MAX_BODY_BYTES, (body) => {
      if (body.tooLong) return refuse(413, `the body is over the limit of ${MAX_BODY_BYTES} bytes`);
      if (body.text === "") return refuse(400, "the body is empty: send an AdmissionReview");
      let request: AdmissionRequest;
      try {
        request = decodeAdmissionReview(body.text);
      } catch (error) {
        if (isSecretsError(error)) return refuse(400, error.message);
        throw error;
      }
      const traced = tracing?.begin(req.headers);
      const answer = (decision: AdmissionAnswer) => {
        send(res, encodeAdmissionAnswer(request, decision));
        metrics.requestEnded(200, started);
      };
      decide(request, deadline, { answer, traced });
    });
  };

  /** Calls `answer` once: with the decision, or when it is late. */
  function decide(request: AdmissionRequest, deadline: Deadline, { answer, traced }: Asker): void {
    const settle = (rejection: Rejection) => {
      metrics.rejected(rejection.code);
      traced?.rejected(rejection);
      answer(rejection.answer);
    };
    const onLate = () => {
      log.warn({ uid: request.uid, namespace: request.namespace }, "pod rejected: no decision in time");
      settle(lateRejection());
    };
    if (deadline.signal.aborted) {
      onLate();
      return;
    }
    const onAdmission = (admission: Admission) => {
      metrics.admitted(admission);
      traced?.admitted(admission);
      answer(admission.answer);
    };
    const onError = (error: unknown) => settle(toRejection(error, log.child({ namespace: request.namespace })));
    let admission: Awaitable<Admission>;
    try {
      const run = () => admit(request, options, deadline.signal);
      admission = traced ? traced.decide(run) : run();
    } catch (error) {
      onError(error);
      return;
    }
    if (!(admission instanceof Promise)) {
      onAdmission(admission);
      return;
    }
    deadline.listeners.add(onLate);
    admission.then(
      (admission) => deadline.listeners.delete(onLate) && onAdmission(admission),
      (error) => deadline.listeners.delete(onLate) && onError(error),
    );
  }
}

/** Who waits for a decision. */
interface Asker {
  readonly answer: (answer: AdmissionAnswer) => void;
  readonly traced: TracedAdmission | undefined;
}

interface Misfit {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is wrong with a request before its body is looked at. */
function findMisfit({ url = "", method, headers }: IncomingMessage): Misfit | undefined {
  const end = url.indexOf("?");
  const path = end < 0 ? url : url.slice(0, end);
  if (path !== WEBHOOK_PATH) return { status: 404, text: `there is nothing here: reviews go to ${WEBHOOK_PATH}` };
  if (method !== "POST") return { status: 405, text: "use POST", headers: { allow: "POST" } };
  const type = headers["content-type"] ?? "";
  if (type !== "application/json" && !/^application\/json\s*(;|$)/i.test(type))
    return { status: 415, text: "the content type must be application/json" };
  return undefined;
}

/** Reads `?timeout=10s`; the API server sends the same address again and again. */
function createTimeoutReader(defaultMs: number): (url: string) => number {
  let last = { url: WEBHOOK_PATH, timeoutMs: defaultMs };
  return (url) => {
    if (url !== last.url) {
      const text = new URLSearchParams(url.slice(url.indexOf("?") + 1)).get("timeout");
      last = { url, timeoutMs: parseGoDuration(text ?? "") || defaultMs };
    }
    return last.timeoutMs;
  };
}

function send(res: ServerResponse, text: string): void {
  res.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) }).end(text);
}
