import {
  isInScope,
  kubernetesSecretName,
  type ListPage,
  type ListRequest,
  type SecretRecord,
} from "@flyte-secrets/core";
import { type KubeClient, type KubeSecret, nextLimit, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { decodeListToken, encodeListToken, type Listing } from "../list-token.ts";
import { listSelector, managedId, toRecord } from "./managed-secret.ts";
import { describeMisnamed } from "./misnamed-secret.ts";
import type { WatchedRecords } from "./watched-records.ts";

/** Secrets in one page of the API server at most, which contains the values. */
export const PAGE = 100;

export interface ManagedListingOptions {
  readonly client: Pick<KubeClient, "list">;
  readonly namespace: string;
  /** The cluster's name in the presence of a secret. */
  readonly clusterName: string;
  readonly log: Logger;
}

/** How a page is to be read. */
export interface ListingSource {
  /** The records in memory, if they may be used. */
  readonly records: WatchedRecords | undefined;
  /** The signal for calls to the API server. */
  readonly signal: () => AbortSignal;
}

/**
 * Where a page begins: behind the Secret of a name, or at a continue token of the API server. A listing that began at
 * the API server goes on there, in the state of its first page.
 */
type Position = { readonly after: string | undefined } | { readonly continueToken: string };

/** In tokens; a continue token is base64, without a colon. */
const AFTER = "after:";

/** Creates the function that reads one page of the secrets in a scope, from memory or from the API server. */
export function createManagedListing(options: ManagedListingOptions) {
  const { client, namespace, clusterName, log } = options;

  const listingOf = ({ scope, includeSystem }: ListRequest): Listing => ({
    source: [clusterName, namespace],
    scope,
    includeSystem,
  });

  function toPage(request: ListRequest, entries: readonly SecretRecord[], position: string | undefined): ListPage {
    if (position === undefined) return { entries, token: "", clusterTokens: {} };
    const token = encodeListToken(listingOf(request), position);
    return { entries, token, clusterTokens: { [clusterName]: token } };
  }

  function positionOf(request: ListRequest): Position {
    const token = request.token || request.clusterTokens[clusterName];
    if (!token) return { after: undefined };
    const text = decodeListToken(listingOf(request), token);
    return text.startsWith(AFTER) ? { after: text.slice(AFTER.length) } : { continueToken: text };
  }

  /** The secrets of a page of the API server. Secrets that hold none are skipped and logged. */
  function toRecords(secrets: readonly KubeSecret[], { scope }: ListRequest): SecretRecord[] {
    return secrets.flatMap((secret) => {
      const id = managedId(secret);
      if (id !== undefined) return isInScope(id, scope) ? toRecord(id, secret, clusterName) : [];
      const { what, remedy } = describeMisnamed(secret);
      const { name } = secret.metadata;
      log.warn({ namespace, secret: name, remedy }, `skipped a Secret that holds no secret: ${what}`);
      return [];
    });
  }

  async function listFrom(start: string | undefined, request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const entries: SecretRecord[] = [];
    let position = start;
    let limit = PAGE;
    do {
      // Never more than there is room for: the next position is behind the last Secret of the page.
      limit = Math.min(limit, request.limit - entries.length);
      const query = { namespace, labelSelector: listSelector(request), continue: position, limit };
      const page = await client.list(SECRETS, query, { signal });
      entries.push(...toRecords(page.items, request));
      position = page.continue;
      limit = nextLimit(page, PAGE);
    } while (position !== undefined && entries.length < request.limit);
    return toPage(request, entries, position);
  }

  /** Reads the API server's list from its beginning, because it cannot begin at a name. */
  async function listBehind(name: string, request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const entries: SecretRecord[] = [];
    let position: string | undefined;
    let limit = PAGE;
    do {
      const query = { namespace, labelSelector: listSelector(request), continue: position, limit };
      const page = await client.list(SECRETS, query, { signal });
      entries.push(
        ...toRecords(
          page.items.filter(({ metadata }) => metadata.name > name),
          request,
        ),
      );
      position = page.continue;
      limit = nextLimit(page, PAGE);
    } while (position !== undefined && entries.length <= request.limit);
    return toPage(request, ...cut(entries, request.limit));
  }

  function listMemory(after: string | undefined, request: ListRequest, records: WatchedRecords): ListPage {
    const { scope, limit, includeSystem } = request;
    const { entries, next } = records.page(scope, { after, limit, includeSystem });
    return toPage(request, entries, next && AFTER + next);
  }

  return async (request: ListRequest, { records, signal }: ListingSource): Promise<ListPage> => {
    const position = positionOf(request);
    if ("continueToken" in position) return await listFrom(position.continueToken, request, signal());
    const { after } = position;
    if (records !== undefined) return listMemory(after, request, records);
    return after === undefined ? await listFrom(after, request, signal()) : await listBehind(after, request, signal());
  };
}

/** The first entries, and the position behind them if there are more. */
function cut(entries: readonly SecretRecord[], limit: number): [readonly SecretRecord[], string | undefined] {
  const last = entries[limit - 1];
  if (entries.length <= limit || last === undefined) return [entries, undefined];
  return [entries.slice(0, limit), AFTER + kubernetesSecretName(last.id)];
}
