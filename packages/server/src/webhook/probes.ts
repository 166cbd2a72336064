import { isSecretsError } from "@flyte-secrets/core";
import type { Reply } from "../rpc/reply.ts";
import type { Endpoint } from "./endpoint.ts";
import { shareWhileUnderWay } from "./share-while-under-way.ts";

/** Throws, or rejects, while something is missing that must be there before pods are sent here. */
export type ReadinessCheck = () => unknown;

/** Serves `/healthz`, 200 while the process answers at all, and `/readyz`, 503 with what is missing until nothing is. */
export function createProbes(checks: readonly ReadinessCheck[]): Endpoint {
  const findOut = shareWhileUnderWay(() => findMissing(checks));
  return (req) => {
    switch (req.url?.split("?", 1)[0]) {
      case "/healthz":
        return OK;
      case "/readyz":
        return findOut().then((missing) => {
          const text = missing.map((what) => `not ready: ${what}\n`).join("");
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
