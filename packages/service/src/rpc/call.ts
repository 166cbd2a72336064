import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";

/** What is known of a request outside its messages; one object for each, filled in as the call goes on. */
export interface Call {
  /** The host the request was sent to; empty when it named none. */
  readonly authority: string;
  /** The secret's name in a REST path; it wins over the one in the body. */
  readonly pathName: string | undefined;
  /** Connect's name of the code it failed with. */
  code?: string;
  /** The request message was read whole. */
  decoded: boolean;
}

const callKey = createContextKey<Call | undefined>(undefined, { description: "flyte-secrets call" });

/** A call that has just begun. */
export function beginCall(about: Pick<Call, "authority" | "pathName">): Call {
  return { ...about, decoded: false };
}

/** Carries a call to where {@link findCall} gets it. */
export function carryCall(call: Call): ContextValues {
  return createContextValues().set(callKey, call);
}

/** The call that a handler or interceptor is in. On a router of somebody else it begins here, with the host of `url`. */
export function findCall(values: ContextValues, url: string): Call {
  const carried = values.get(callKey);
  if (carried !== undefined) return carried;
  const call = beginCall({ authority: new URL(url).host, pathName: undefined });
  values.set(callKey, call);
  return call;
}
