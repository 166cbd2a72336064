import {
  isObject,
  isSecretsError,
  kubernetesSecretName,
  type ListRequest,
  type SecretRecord,
  type SecretsError,
  type StoreCallOptions,
} from "@flyte-secrets/core";
import type { ClusterMember } from "./call-clusters.ts";

/** A position in the listing of one cluster. */
export interface ClusterPosition {
  readonly cluster: string;
  /** Token of the page that has the next entry; empty for the first page. */
  readonly pageToken: string;
  /** Name of the last entry that was returned; empty before the first. */
  readonly after: string;
}

/** The name by which a Kubernetes listing is ordered. */
export const listName = ({ id }: SecretRecord): string => kubernetesSecretName(id);

/** Reads the listing of one cluster entry by entry, from a position on. */
export class ClusterCursor {
  readonly cluster: string;
  /** Why the cluster cannot be read; undefined while it can be. */
  failure: SecretsError | undefined;
  readonly #store: ClusterMember["store"];
  readonly #request: ListRequest;
  readonly #options: StoreCallOptions | undefined;
  readonly #after: string;
  #pageToken: string;
  #nextPageToken: string | undefined;
  #entries: SecretRecord[] = [];

  constructor({ cluster, store }: ClusterMember, position: ClusterPosition, { request, options }: CursorOptions) {
    this.cluster = cluster;
    this.#store = store;
    this.#request = request;
    this.#options = options;
    this.#after = position.after;
    this.#pageToken = position.pageToken;
    this.#nextPageToken = position.pageToken;
  }

  /** The next entry; undefined at the end, or before {@link fetchPage} has fetched it. */
  get head(): SecretRecord | undefined {
    return this.#entries[0];
  }

  get isDone(): boolean {
    return this.#nextPageToken === undefined && this.#entries.length === 0;
  }

  /** Moves on to the entry after {@link head}. */
  advance(): void {
    this.#entries.shift();
  }

  /** Fetches the next page if there is no {@link head}. A cluster that cannot be read sets {@link failure}. */
  async fetchPage(): Promise<void> {
    while (this.#entries.length === 0 && this.#nextPageToken !== undefined && this.failure === undefined) {
      try {
        const request = { ...this.#request, token: this.#nextPageToken, clusterTokens: {} };
        const page = await this.#store.list(request, this.#options);
        this.#pageToken = this.#nextPageToken;
        this.#nextPageToken = page.token === "" ? undefined : page.token;
        this.#entries = page.entries.filter((entry) => listName(entry) > this.#after);
      } catch (error) {
        const isFinal = isSecretsError(error, "page_token_invalid", "page_token_expired", "canceled");
        if (!isSecretsError(error) || isFinal) throw error;
        this.failure = error;
      }
    }
  }

  /** The position behind an entry that this or another cluster returned last. */
  positionAfter(name: string): ClusterPosition {
    return { cluster: this.cluster, pageToken: this.#pageToken, after: name };
  }
}

export interface CursorOptions {
  readonly request: ListRequest;
  readonly options: StoreCallOptions | undefined;
}

/** Positions as text, for a page token. */
export function encodePositions(positions: readonly ClusterPosition[]): string {
  return JSON.stringify(positions);
}

/** Positions from the text of a page token; undefined for any other text, which a caller may have made up. */
export function decodePositions(text: string): readonly ClusterPosition[] | undefined {
  try {
    const positions: unknown = JSON.parse(text);
    return Array.isArray(positions) && positions.every(isPosition) ? positions : undefined;
  } catch {
    return undefined;
  }
}

function isPosition(value: unknown): value is ClusterPosition {
  if (!isObject(value)) return false;
  return [value.cluster, value.pageToken, value.after].every((part) => typeof part === "string");
}
