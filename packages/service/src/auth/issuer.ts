import { type Clock, SecretsError, systemClock } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { fetchIssuerDocuments, type IssuerDocuments } from "./issuer-documents.ts";

/** Documents of this age are fetched again in the background. */
const FRESH_MS = 10 * 60_000;
/** Bounds the requests to the issuer that tokens with unknown keys cause. */
const RENEW_AT_MOST_EVERY_MS = 30_000;
/** Bounds the requests to an issuer that is down. */
const RETRY_AFTER_MS = 5_000;
const TIMEOUT_MS = 5_000;

/** An issuer of tokens whose documents are cached in memory. */
export interface Issuer {
  /**
   * Its documents. Cached ones are used for as long as the issuer is unreachable. Throws `issuer_unavailable` when
   * there are none.
   */
  documents(): Promise<IssuerDocuments>;
  /**
   * Its documents fetched again, at most every 30 s: for a token signed with an unknown key. Throws only when there are
   * none cached.
   */
  renewedDocuments(): Promise<IssuerDocuments>;
  /** Aborts requests in flight. Idempotent. */
  close(): void;
}

export interface IssuerOptions {
  /** As its tokens name it. */
  readonly url: string;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** Creates an issuer; its documents are fetched when they are first needed. */
export function createIssuer({ url, log, clock = systemClock }: IssuerOptions): Issuer {
  const closing = new AbortController();
  let held: { readonly documents: IssuerDocuments; readonly readAtMs: number } | undefined;
  let failed: { readonly error: SecretsError; readonly atMs: number } | undefined;
  let loading: Promise<IssuerDocuments> | undefined;

  const load = (): Promise<IssuerDocuments> => {
    if (failed !== undefined && clock.elapsed() - failed.atMs < RETRY_AFTER_MS) return Promise.reject(failed.error);
    loading ??= read().finally(() => {
      loading = undefined;
    });
    return loading;
  };
  const read = async (): Promise<IssuerDocuments> => {
    try {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(TIMEOUT_MS)]);
      const documents = await fetchIssuerDocuments(url, signal);
      held = { documents, readAtMs: clock.elapsed() };
      failed = undefined;
      return documents;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (closing.signal.aborted) throw new SecretsError("canceled", "the service is shutting down");
      log.warn({ issuer: url, reason, keysInMemory: held !== undefined }, "the issuer's documents could not be read");
      const message = `tokens cannot be checked now: the issuer ${url} gave no usable documents: ${reason}`;
      const error = new SecretsError("issuer_unavailable", message);
      failed = { error, atMs: clock.elapsed() };
      throw error;
    }
  };

  return {
    async documents() {
      if (held === undefined) return load();
      if (clock.elapsed() - held.readAtMs >= FRESH_MS) load().catch(() => {});
      return held.documents;
    },
    async renewedDocuments() {
      if (held === undefined) return load();
      const { documents, readAtMs } = held;
      if (clock.elapsed() - readAtMs < RENEW_AT_MOST_EVERY_MS) return documents;
      return load().catch(() => documents);
    },
    close: () => closing.abort(),
  };
}
