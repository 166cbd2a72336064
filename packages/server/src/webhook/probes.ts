import type { RequestListener } from "node:http";
import { reply } from "../rpc/reply.ts";

/** Something that must be there before requests are sent here: undefined when it is, else what is missing. */
export type ReadinessCheck = () => string | undefined;

/** Serves `/healthz`, 200 while the process answers at all, and `/readyz`, 503 with what is missing until nothing is. */
export function createProbes(checks: readonly ReadinessCheck[]): RequestListener {
  return (req, res) => {
    const exchange = { req, res };
    const path = req.url?.split("?", 1)[0];
    if (path === "/healthz") return reply(exchange, { status: 200, text: "ok\n" });
    if (path !== "/readyz") return reply(exchange, { status: 404, text: "there are /healthz and /readyz here\n" });
    const missing = checks.flatMap((check) => check() ?? []);
    if (missing.length === 0) return reply(exchange, { status: 200, text: "ok\n" });
    reply(exchange, { status: 503, text: missing.map((what) => `not ready: ${what}\n`).join("") });
  };
}
