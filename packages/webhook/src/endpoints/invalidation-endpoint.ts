import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import {
  checkSecretScope,
  DEFAULT_ORGANIZATION,
  isSecretsError,
  parseObject,
  type SecretId,
} from "@flyte-secrets/core";
import type { Reply } from "@flyte-secrets/http";
import type { Endpoint } from "./endpoint.ts";

const PATH = "/invalidate-secret";
const MAX_BODY_BYTES = 4 * 1024;

export interface InvalidationEndpointOptions {
  /** Removes a secret from the cache, at its scope and the broader ones. */
  readonly invalidate: (id: SecretId) => void;
  /**
   * The bearer token that callers must send. Without it and without `isPeer`, everybody who reaches the port may call.
   */
  readonly token?: string;
  /** Whether an address may call without the token. Default: no address. */
  readonly isPeer?: ((address: string) => boolean) | undefined;
  /** Maximum number of calls per second. */
  readonly perSecond: number;
}

/** Serves `POST /invalidate-secret`: a secret has changed and must be read again (W-20). */
export function createInvalidationEndpoint(options: InvalidationEndpointOptions): Endpoint {
  const { invalidate, perSecond } = options;
  const isAllowed = createCallerCheck(options);
  const takeToken = createTokenBucket(perSecond);
  const read = (body: string): Reply => {
    const id = parseId(body);
    if (typeof id === "string") return { status: 400, text: `${id}\n` };
    invalidate(id);
    return { status: 200, text: "ok\n" };
  };
  const taken = { maxBytes: MAX_BODY_BYTES, read };
  return (req) => {
    if (req.url?.split("?", 1)[0] !== PATH) return { status: 404, text: `there is ${PATH} here\n` };
    if (req.method !== "POST") return { status: 405, text: "use POST\n", headers: { allow: "POST" } };
    if (!isAllowed(req)) return UNAUTHENTICATED;
    return takeToken() ? taken : tooMany(perSecond);
  };
}

function tooMany(perSecond: number): Reply {
  const text = `more than ${perSecond} calls a second (webhook.limits.invalidationsPerSecond)\n`;
  return { status: 429, text, headers: { "retry-after": "1" } };
}

const UNAUTHENTICATED: Reply = {
  status: 401,
  text:
    "send the token of webhook.cacheInvalidationTokenFile or cacheInvalidationTokenSecret as bearer token, " +
    "or be listed in webhook.cacheInvalidationPeers\n",
  headers: { "www-authenticate": "Bearer" },
};

type CallerCheck = (req: IncomingMessage) => boolean;

function createCallerCheck({ token, isPeer }: Pick<InvalidationEndpointOptions, "token" | "isPeer">): CallerCheck {
  if (token === undefined && isPeer === undefined) return () => true;
  // Hashed, so that the comparison takes the same time whatever was sent.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = token === undefined ? undefined : digest(`Bearer ${token}`);
  return ({ headers, socket }) =>
    (expected !== undefined && timingSafeEqual(digest(headers.authorization ?? ""), expected)) ||
    isPeer?.(socket.remoteAddress ?? "") === true;
}

const NO_ID = 'the body must be JSON such as {"org":"flyte","project":"p","domain":"d","name":"n"}, with a name';

/** Returns the id in the body, or what is wrong with the body. */
function parseId(text: string): SecretId | string {
  const value = parseObject(text);
  if (value === undefined) return NO_ID;
  const fields = new Map(Object.entries(value));
  const [org = "", domain = "", project = "", name = ""] = ["org", "domain", "project", "name"].map((field) =>
    fields.get(field),
  );
  const isText = (part: unknown) => typeof part === "string";
  if (!isText(org) || !isText(domain) || !isText(project) || !isText(name) || name === "") return NO_ID;
  const id = { org, domain, project, name };
  try {
    // If a caller sends an organization, it is that of the service.
    checkSecretScope({ ...id, org: org || DEFAULT_ORGANIZATION });
    return id;
  } catch (error) {
    if (isSecretsError(error)) return error.message;
    throw error;
  }
}

/** A token bucket: allows `perSecond` calls per second, and as many at once after a second without calls. */
function createTokenBucket(perSecond: number): () => boolean {
  let tokens = perSecond;
  let filledAt = performance.now();
  return () => {
    const now = performance.now();
    tokens = Math.min(perSecond, tokens + ((now - filledAt) * perSecond) / 1000);
    filledAt = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
