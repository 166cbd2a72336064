import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import type { Authentication, RequestHeader } from "../auth/authentication.ts";

/** State of one call beside its messages: one object for each request, updated as the call proceeds. */
export interface CallContext {
  /** The host that the request was sent to; empty when it named none. */
  readonly authority: string;
  /** The secret's name in a REST path; it takes precedence over the one in the body. */
  readonly pathName: string | undefined;
  /** Connect's name of the code it failed with. */
  code?: string;
  /** Whether the request message has been decoded. */
  decoded: boolean;
  /** `RequestBody.respond` of its request; none on another server's router. */
  respond?: (bytes: number) => void;
  /** Set once the credentials have been checked; with the reason when they were refused. */
  credentials?: { readonly refusal?: unknown };
}

/** What a handler may know of its call beside the message. Connect's `HandlerContext` has it, too. */
export interface CallScope {
  /** Aborted when the caller's time is over, and when the caller is gone. */
  readonly signal: AbortSignal;
  readonly requestHeader: RequestHeader;
}

const callKey = createContextKey<CallContext | undefined>(undefined, { description: "flyte-secrets call" });

/** The context of a call that begins. */
export function createCallContext(about: Pick<CallContext, "authority" | "pathName">): CallContext {
  return { ...about, decoded: false };
}

/** Connect's context values with this context in them, which {@link callContextOf} reads. */
export function toContextValues(call: CallContext): ContextValues {
  return createContextValues().set(callKey, call);
}

/**
 * The context of the call that a handler or interceptor runs in. On another server's router it is created here, with
 * the host of `url`.
 */
export function callContextOf(values: ContextValues, url: string): CallContext {
  const carried = values.get(callKey);
  if (carried !== undefined) return carried;
  const call = createCallContext({ authority: new URL(url).host, pathName: undefined });
  values.set(callKey, call);
  return call;
}

/**
 * Throws why a call is refused, if it is. Its credentials are checked when this is first called for it, which is before
 * its body is read.
 */
export async function authoriseCall(
  call: CallContext,
  { authorise }: Pick<Authentication, "authorise">,
  headers: RequestHeader,
): Promise<void> {
  if (call.credentials === undefined) {
    try {
      await authorise(headers);
      call.credentials = {};
    } catch (refusal) {
      call.credentials = { refusal };
    }
  }
  if ("refusal" in call.credentials) throw call.credentials.refusal;
}
