import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, RequestListener } from "node:http";
import type { SecretId } from "@flyte-secrets/core";
import { type Reply, reply } from "../rpc/reply.ts";
import { readBody } from "./read-body.ts";

const PATH = "/invalidate-secret";
const MAX_BODY_BYTES = 64 * 1024;

export interface InvalidationEndpointOptions {
  /** Forgets what is known of a secret at its scope and the broader ones. */
  readonly invalidate: (id: SecretId) => void;
  /** What callers must send as bearer token. Without it, everybody may call. */
  readonly token?: string;
}

/** Serves `POST /invalidate-secret` (spec page 5): a secret was changed and must be read anew. */
export function createInvalidationEndpoint({ invalidate, token }: InvalidationEndpointOptions): RequestListener {
  const isAllowed = createTokenCheck(token);
  return (req, res) => {
    const refusal = refuse(req, isAllowed);
    if (refusal) return reply({ req, res }, refusal);
    readBody(req, MAX_BODY_BYTES, (body) => {
      const id = body.tooLong ? undefined : parseId(body.text);
      if (id === undefined) return reply({ req, res }, NO_ID);
      invalidate(id);
      reply({ req, res }, { status: 200, text: "ok\n" });
    });
  };
}

const NO_ID: Reply = {
  status: 400,
  text: 'the body must be JSON such as {"org":"flyte","project":"p","domain":"d","name":"n"}, with a name\n',
};

function refuse(req: IncomingMessage, isAllowed: (req: IncomingMessage) => boolean): Reply | undefined {
  if (req.url?.split("?", 1)[0] !== PATH) return { status: 404, text: `there is ${PATH} here\n` };
  if (req.method !== "POST") return { status: 405, text: "use POST\n", headers: { allow: "POST" } };
  if (isAllowed(req)) return undefined;
  const headers = { "www-authenticate": "Bearer" };
  return { status: 401, text: "send the token of webhook.cacheInvalidationTokenFile as bearer token\n", headers };
}

function createTokenCheck(token: string | undefined): (req: IncomingMessage) => boolean {
  if (token === undefined) return () => true;
  // Hashed, so that the comparison takes the same time whatever was sent.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${token}`);
  return (req) => timingSafeEqual(digest(req.headers.authorization ?? ""), expected);
}

function parseId(text: string): SecretId | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const [org = "", domain = "", project = "", name = ""] = ["org", "domain", "project", "name"].map((field) =>
    fields.get(field),
  );
  const isText = (part: unknown) => typeof part === "string";
  if (!isText(org) || !isText(domain) || !isText(project) || !isText(name) || name === "") return undefined;
  return { org, domain, project, name };
}
