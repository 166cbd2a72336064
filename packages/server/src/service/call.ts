import { createContextKey } from "@connectrpc/connect";

/** What is known of a request outside its messages; one object for each, filled in as the call goes on. */
export interface Call {
  /** The host the request was sent to; empty when it named none. */
  readonly authority: string;
  /** The secret's name in a REST path; it wins over the one in the body. */
  readonly pathName: string | undefined;
  /** Connect's name of the code it failed with. */
  code?: string;
  /** The request message was read whole. */
  decoded?: boolean;
}

/** Where a handler and its interceptors find the {@link Call}. */
export const callKey = createContextKey<Call | undefined>(undefined, { description: "flyte-secrets call" });
