import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { SecretValue } from "@flyte-secrets/core";
import { listenHttp1, reply } from "@flyte-secrets/http";
import { describeFailure } from "../describe-failure.ts";
import { MAX_VALUE_BYTES } from "../values/read-input.ts";
import { trimLineFeed } from "../values/read-secret-value.ts";
import { type EntryForm, PAGE_POLICY, renderForm, renderNotice } from "./entry-html.ts";

export interface EntryPageOptions extends Omit<EntryForm, "problem"> {
  /** Writes the value. `exists` when there is one and it may not be replaced. */
  save(value: SecretValue, mayReplace: boolean): Promise<"created" | "replaced" | "exists">;
  /** For how long the page is open. Default 10 minutes. */
  readonly lifeMs?: number;
}

/** What has become of a page. */
export type PageEnd = "created" | "replaced" | "expired" | "declined" | "not shown";

/** A page on which a person enters one value, once. */
export interface EntryPage {
  /** With a token of 256 bits, without which there is nothing. */
  readonly url: string;
  readonly ended: Promise<PageEnd>;
  /** Ends it without a value. Without effect when it has ended. */
  close(end: "declined" | "not shown"): Promise<void>;
}

const LIFE_MS = 600_000;
const COOKIE = "flyte-secrets-entry";
/** A form escapes a byte by three characters. */
const MAX_BODY_BYTES = 3 * MAX_VALUE_BYTES + 1_024;
const LIMITS = { maxConnections: 32, maxConnectionsPerAddress: 32, requestTimeoutMs: 30_000 };

const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": PAGE_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  // Not `no-referrer`, with which browsers send no origin of a form.
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

/**
 * Serves the page on a port of this machine's loopback address until a value is saved, the page is closed or its time
 * is over. The first browser that opens it gets a cookie, without which it answers nobody from then on. Requests for
 * another host (DNS rebinding) and forms from other pages (CSRF) are refused.
 */
export async function openEntryPage(options: EntryPageOptions): Promise<EntryPage> {
  const path = `/${randomBytes(32).toString("base64url")}`;
  const cookie = `${COOKIE}=${randomBytes(32).toString("base64url")}`;
  const { promise: ended, resolve: end } = Promise.withResolvers<PageEnd>();
  let isOpened = false;
  let isSaving = false;
  let { exists } = options;

  const listener = await listenHttp1({
    host: "127.0.0.1",
    port: 0,
    limits: LIMITS,
    async handler(req, res) {
      const answer = (status: number, html: string, headers = {}) =>
        reply({ req, res }, { status, text: html, headers: { ...HEADERS, connection: "close", ...headers } });
      const refuse = (status: number, why: string) => answer(status, renderNotice(why));
      if (req.headers.host !== host) return refuse(403, "This address is not that of the page.");
      if (req.url !== path) return refuse(404, "There is no such page.");
      if (req.method !== "GET" && req.method !== "POST") return refuse(405, "This page is for browsers.");
      if (isOpened ? !hasCookie(req, cookie) : req.method === "POST") {
        return refuse(403, "Another browser has opened this page. Have the agent ask again.");
      }
      isOpened = true;
      const headers = { "set-cookie": `${cookie}; Path=${path}; HttpOnly; SameSite=Strict` };
      const form = (status: number, problem?: string) =>
        answer(status, renderForm({ ...options, exists, problem }), headers);
      if (req.method === "GET") return form(200);
      if (req.headers.origin !== `http://${host}`) return refuse(403, "This form is not from the page.");
      if (isSaving) return refuse(409, "The value is being saved already.");
      const fields = await readForm(req);
      if (fields === undefined) return form(413, "The value is too large: a secret has 1 MiB at most.");
      if (fields.text === "") return form(422, "The value is empty.");
      isSaving = true;
      try {
        const outcome = await options.save(toValue(fields.text), fields.mayReplace);
        if (outcome !== "exists") {
          res.once("close", () => end(outcome));
          return answer(200, renderNotice("The value is saved. You can close this page."));
        }
        exists = true;
        return form(409, "The secret has a value by now. Enter yours again to replace it.");
      } catch (error) {
        return form(500, describeFailure(error).line ?? "It could not be saved.");
      } finally {
        isSaving = false;
      }
    },
  });
  const host = `127.0.0.1:${listener.port}`;
  const expiry = setTimeout(() => end("expired"), options.lifeMs ?? LIFE_MS);
  const closed = ended.then(async () => {
    clearTimeout(expiry);
    await listener.close({ graceMs: 1_000 });
  });
  return {
    url: `http://${host}${path}`,
    ended: closed.then(() => ended),
    async close(how) {
      end(how);
      await closed;
    },
  };
}

function hasCookie({ headers }: IncomingMessage, cookie: string): boolean {
  return (headers.cookie ?? "").split("; ").includes(cookie);
}

/** Undefined for a body that is too large. */
async function readForm(req: IncomingMessage) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  const fields = new URLSearchParams(Buffer.concat(chunks).toString());
  return { text: fields.get("value") ?? "", mayReplace: fields.get("replace") === "yes" };
}

/** Browsers send line breaks as CR and LF. A line break after a single line is left out, as of a file (T-11). */
function toValue(text: string): SecretValue {
  const bytes = Buffer.from(text.replaceAll("\r\n", "\n"));
  return SecretValue.fromBytes(trimLineFeed(bytes, "the form", false).bytes);
}
