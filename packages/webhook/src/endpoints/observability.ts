import { isSecretsError } from "@flyte-secrets/core";
import type { Reply } from "@flyte-secrets/http";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Endpoint } from "./endpoint.ts";

/** Throws or rejects while the webhook is not ready for pods, with what is missing. */
export type ReadinessCheck = () => unknown;

/**
 * Serves `/healthz`, which is always 200, and `/readyz`, which is 503 with what is missing until the webhook is ready.
 * Everybody may call them, so that paths of files are only in the log.
 */
export function createProbes(checks: readonly ReadinessCheck[], log: Logger): Endpoint {
  let logged = "";
  const findOut = shareInFlight(async () => {
    const missing = await findMissing(checks);
    const reason = missing.join("; ");
    if (reason !== "" && reason !== logged) log.warn({ reason }, "not ready");
    logged = reason;
    return missing;
  });
  return (req) => {
    switch (req.url?.split("?", 1)[0]) {
      case "/healthz":
        return OK;
      case "/readyz":
        return findOut().then((missing) => {
          const text = missing.map((what) => `not ready: ${withoutPaths(what)}\n`).join("");
          return text === "" ? OK : { status: 503, text };
        });
      default:
        return { status: 404, text: "there are /healthz and /readyz here\n" };
    }
  };
}

const OK: Reply = { status: 200, text: "ok\n" };

async function findMissing(checks: readonly ReadinessCheck[]): Promise<string[]> {
  const results = await Promise.allSettled(checks.map(async (check) => check()));
  return results.flatMap((result) => (result.status === "rejected" ? [describe(result.reason)] : []));
}

function describe(reason: unknown): string {
  return isSecretsError(reason) ? reason.message : "a check failed";
}

/** Replaces each absolute path of a file by `…`. Paths of URLs stay, since they follow a host. */
function withoutPaths(message: string): string {
  return message.replace(/(?<![\w.:/\]-])\/[^\s,;:"'()]+/g, "…");
}

/** Serves `/metrics`, in Prometheus' text format, and nothing else. */
export function createMetricsEndpoint(registry: Pick<Registry, "metrics" | "contentType">): Endpoint {
  const collect = shareInFlight(() => registry.metrics());
  return (req) => {
    if (req.url?.split("?", 1)[0] !== "/metrics") return { status: 404, text: "there is /metrics here\n" };
    return collect().then((text) => ({ status: 200, text, headers: { "content-type": registry.contentType } }));
  };
}

/** Lets calls that arrive while one is in flight share its result, so that many of them cost as much as one. */
function shareInFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    underWay ??= work().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}
