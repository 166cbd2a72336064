import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { createOwnServerAgent, type OwnServer } from "@flyte-secrets/sdk/connection";

/** How long a server on this machine may take for an answer. */
export const RESPONSE_LIMIT_MS = 5_000;

export interface OwnServerResponse {
  readonly status: number;
  readonly date: string | undefined;
  readonly body: string;
}

/**
 * The response of this user's server to a GET of the path. Throws within 5 s; {@link describeNoResponse} describes the
 * error.
 */
export async function requestOwnServer(route: OwnServer["route"], path: string): Promise<OwnServerResponse> {
  const agent = createOwnServerAgent(route);
  try {
    const sent = request({ agent, path, signal: AbortSignal.timeout(RESPONSE_LIMIT_MS) }).end();
    const answer: IncomingMessage = (await once(sent, "response"))[0];
    return { status: answer.statusCode ?? 0, date: answer.headers.date, body: await text(answer) };
  } finally {
    agent.destroy();
  }
}

/** Why a server gave no answer, in a few words. */
export function describeNoResponse(error: unknown): string {
  if (!(error instanceof Error && "code" in error)) return "no answer";
  return error.code === "ABORT_ERR"
    ? `within ${RESPONSE_LIMIT_MS / 1000} s: it hangs, or is stopped`
    : String(error.code);
}
