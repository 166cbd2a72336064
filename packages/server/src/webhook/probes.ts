import type { RequestListener } from "node:http";
import { isSecretsError } from "@flyte-secrets/core";
import { reply } from "../rpc/reply.ts";

/** Throws, or rejects, while something is missing that must be there before pods are sent here. */
export type ReadinessCheck = () => unknown;

/** Serves `/healthz`, 200 while the process answers at all, and `/readyz`, 503 with what is missing until nothing is. */
export function createProbes(checks: readonly ReadinessCheck[]): RequestListener {
  return (req, res) => {
    const exchange = { req, res };
    switch (req.url?.split("?", 1)[0]) {
      case "/healthz":
        reply(exchange, { status: 200, text: "ok\n" });
        break;
      case "/readyz":
        void findMissing(checks).then((missing) => {
          const text = missing.map((what) => `not ready: ${what}\n`).join("");
          reply(exchange, text === "" ? { status: 200, text: "ok\n" } : { status: 503, text });
        });
        break;
      default:
        reply(exchange, { status: 404, text: "there are /healthz and /readyz here\n" });
    }
  };
}

async function findMissing(checks: readonly ReadinessCheck[]): Promise<string[]> {
  const results = await Promise.allSettled(checks.map(async (check) => check()));
  return results.flatMap((result) => (result.status === "rejected" ? [describe(result.reason)] : []));
}

function describe(reason: unknown): string {
  return isSecretsError(reason) ? reason.message : "a check failed";
}
