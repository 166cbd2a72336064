import type { IncomingMessage } from "node:http";
import { createSignalRace, isSecretsError, type MaybePromise } from "@flyte-secrets/core";
import type { Reply } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { BodyReader, Endpoint } from "../endpoints/endpoint.ts";
import type { WebhookMetrics } from "../webhook-metrics.ts";
import {
  type AdmissionRequest,
  type AdmissionResponse,
  decodeAdmissionReview,
  encodeAdmissionResponse,
  WEBHOOK_PATH,
} from "./admission-review.ts";
import type { AdmissionTracing, TracedAdmission } from "./admission-tracing.ts";
import type { MutatePodOptions } from "./admit.ts";
import { type Admission, admit } from "./admit.ts";
import { createDeadlines } from "./deadline.ts";
import { deadlineRejection, type Rejection, toRejection } from "./to-rejection.ts";

/** The reason of the cause with the served certificate, in the rejection of a dry run. */
export const SERVED_CERTIFICATE = "ServedCertificate";

export interface AdmissionHandlerOptions extends MutatePodOptions {
  /** How long the API server waits if its request has no timeout: `webhook.webhookTimeout`. */
  readonly timeoutMs: number;
  /** The maximum size of a body: `webhook.limits.bodyBytes`. */
  readonly maxBodyBytes: number;
  /** The fingerprint of the certificate that new connections get. The rejection of a dry run contains it. */
  readonly servedCertificate?: () => string;
  readonly telemetry: {
    readonly log: Logger;
    readonly metrics: Pick<WebhookMetrics, "admitted" | "rejected">;
    readonly tracing?: AdmissionTracing | undefined;
  };
}

/**
 * Serves {@link WEBHOOK_PATH}: responds to an `AdmissionReview` with one of the same version and `uid`, before the
 * `timeout` parameter of the request is over. Anything else gets a 4xx with a reason in plain text.
 */
export function createAdmissionHandler(options: AdmissionHandlerOptions): Endpoint {
  const { maxBodyBytes: maxBytes, timeoutMs } = options;
  const { log, metrics, tracing } = options.telemetry;
  const deadlineOf = createDeadlines(timeoutMs);
  const raceDeadline = createSignalRace();

  function onBody(req: IncomingMessage, deadline: AbortSignal, body: string): MaybePromise<Reply> {
    if (body === "") return refusal(400, "the body is empty: send an AdmissionReview");
    try {
      const request = decodeAdmissionReview(body);
      return decide({ request, deadline, traced: tracing?.begin(req.headers) });
    } catch (error) {
      if (isSecretsError(error)) return refusal(400, error.message);
      throw error;
    }
  }

  /** Responds with the decision, or with a rejection when the time is over. */
  function decide(review: Review): MaybePromise<Reply> {
    const { request, deadline, traced } = review;
    if (deadline.aborted) return rejectLate(review);
    try {
      const run = () => admit(request, options, deadline);
      const admission = traced ? traced.decide(run) : run();
      if (!(admission instanceof Promise)) return accept(review, admission);
      return raceDeadline(deadline, () => admission)
        .then((admission) => accept(review, admission))
        .catch((error) => (deadline.aborted ? rejectLate(review) : rejectFor(review, error)));
    } catch (error) {
      return rejectFor(review, error);
    }
  }

  function accept({ request, traced }: Review, admission: Admission): Reply {
    const reply = toReply(request, admission.answer);
    metrics.admitted(admission, request.namespace);
    traced?.admitted(admission);
    return reply;
  }

  function rejectFor(review: Review, error: unknown): Reply {
    return reject(review, toRejection(error, log.child({ namespace: review.request.namespace })));
  }

  function rejectLate(review: Review): Reply {
    const { uid, namespace } = review.request;
    log.warn({ uid, namespace }, "pod rejected: no decision in time");
    return reject(review, deadlineRejection());
  }

  function reject({ request, traced }: Review, rejection: Rejection): Reply {
    metrics.rejected(rejection.code, request.namespace);
    traced?.rejected(rejection);
    const sha256 = request.dryRun ? options.servedCertificate?.() : undefined;
    const causes = sha256 ? [{ reason: SERVED_CERTIFICATE, message: sha256 }] : undefined;
    return toReply(request, { ...rejection.answer, ...(causes && { causes }) });
  }

  return (req): Reply | BodyReader => {
    // Path and method first: the rest of other addresses is not parsed.
    const { url = "", method } = req;
    if (!isWebhookUrl(url)) return refusal(404, `there is nothing here: reviews go to ${WEBHOOK_PATH}`);
    if (method !== "POST") return { ...refusal(405, "use POST"), headers: { allow: "POST" } };
    const deadline = deadlineOf(url);
    return { maxBytes, read: (body) => onBody(req, deadline, body) };
  };
}

/** A review without a response yet. */
interface Review {
  readonly request: AdmissionRequest;
  readonly deadline: AbortSignal;
  readonly traced: TracedAdmission | undefined;
}

const JSON_HEADERS = { "content-type": "application/json" };

function toReply(request: AdmissionRequest, answer: AdmissionResponse): Reply {
  return { status: 200, text: encodeAdmissionResponse(request, answer), headers: JSON_HEADERS };
}

function refusal(status: number, text: string): Reply {
  return { status, text: `${text}\n` };
}

function isWebhookUrl(url: string): boolean {
  return url.startsWith(WEBHOOK_PATH) && (url.length === WEBHOOK_PATH.length || url[WEBHOOK_PATH.length] === "?");
}
