import {
  type CallOptions,
  isSecretsError,
  kubernetesSecretName,
  type ListPage,
  type ListRequest,
  type SecretRecord,
  type SecretsError,
} from "@flyte-secrets/core";
import { decodeContinueToken, encodeContinueToken, type Listing } from "../kubernetes/continue-token.ts";
import type { ClusterStore } from "./ask-clusters.ts";

/** A place in one cluster's listing: the token of a page of which something is left, and the last name that was given out. */
type Position = readonly [cluster: string, token: string, after: string];

/** The order of a Kubernetes listing. */
const orderOf = ({ id }: SecretRecord) => kubernetesSecretName(id);

/**
 * One page of what all clusters list, each secret once, with the clusters that have it. A cluster that cannot be asked is left out, as
 * `unknown`, unless there is no other to go on with. The token holds a position in each.
 */
export async function mergeListings(
  clusters: readonly ClusterStore[],
  request: ListRequest,
  options: CallOptions | undefined,
): Promise<ListPage> {
  const { scope, includeSystem, limit } = request;
  const listing = {
    clusterName: clusters.map(({ cluster }) => cluster).join(" "),
    namespace: "",
    scope,
    includeSystem,
  };
  const positions = decodePositions(listing, request, clusters);
  const cursors = clusters.flatMap((cluster) => {
    const position = positions.find(([name]) => name === cluster.cluster);
    return position ? new Cursor(cluster, { position, request, options }) : [];
  });
  const entries: SecretRecord[] = [];
  let after = positions[0]?.[2] ?? "";
  while (entries.length < limit) {
    await Promise.all(cursors.map((cursor) => cursor.fill()));
    const heads = cursors.flatMap(({ head }) => head ?? []);
    const first = heads.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))[0];
    if (first === undefined) break;
    after = orderOf(first);
    const holders = cursors.filter(({ head }) => head && orderOf(head) === after);
    for (const holder of holders) holder.take();
    const presence = ({ cluster }: ClusterStore) => {
      if (holders.some((holder) => holder.cluster === cluster)) return "present";
      return cursors.find((cursor) => cursor.cluster === cluster)?.failure ? "unknown" : "missing";
    };
    entries.push({
      ...first,
      clusters: clusters.map((each) => ({ cluster: each.cluster, presence: presence(each) })),
    });
  }
  const [failed] = cursors.flatMap(({ failure }) => failure ?? []);
  if (failed && cursors.every(({ failure }) => failure)) throw failed;
  const isDone = cursors.every((cursor) => cursor.isDone || cursor.failure);
  const left = isDone ? [] : cursors.filter((cursor) => !cursor.isDone);
  const rest = left.map(({ cluster, token }): Position => [cluster, token, after]);
  return {
    entries,
    token: rest.length === 0 ? "" : encodePositions(listing, rest),
    clusterTokens: Object.fromEntries(rest.map((position) => [position[0], encodePositions(listing, [position])])),
  };
}

interface CursorOptions {
  readonly position: Position;
  readonly request: ListRequest;
  readonly options: CallOptions | undefined;
}

/** The listing of one cluster, from a position on. */
class Cursor {
  readonly cluster: string;
  readonly #store: ClusterStore["store"];
  readonly #options: CursorOptions;
  /** Of the page that the entries are of. */
  token: string;
  #next: string | undefined;
  #entries: SecretRecord[] = [];
  failure: SecretsError | undefined;

  constructor({ cluster, store }: ClusterStore, options: CursorOptions) {
    this.cluster = cluster;
    this.#store = store;
    this.#options = options;
    this.token = options.position[1];
    this.#next = this.token;
  }

  get head(): SecretRecord | undefined {
    return this.#entries[0];
  }

  get isDone(): boolean {
    return this.#next === undefined && this.#entries.length === 0;
  }

  take(): void {
    this.#entries.shift();
  }

  /** Sees to it that there is a head, if anything is left. */
  async fill(): Promise<void> {
    const { position, request, options } = this.#options;
    while (this.#entries.length === 0 && this.#next !== undefined && this.failure === undefined) {
      try {
        const page = await this.#store.list({ ...request, token: this.#next, clusterTokens: {} }, options);
        this.token = this.#next;
        this.#next = page.token === "" ? undefined : page.token;
        this.#entries = page.entries.filter((entry) => orderOf(entry) > position[2]);
      } catch (error) {
        if (!isSecretsError(error) || isSecretsError(error, "page_token_invalid", "page_token_expired", "canceled"))
          throw error;
        this.failure = error;
      }
    }
  }
}

function encodePositions(listing: Listing, positions: readonly Position[]): string {
  return encodeContinueToken(listing, JSON.stringify(positions));
}

function decodePositions(
  listing: Listing,
  { token, clusterTokens }: ListRequest,
  clusters: readonly ClusterStore[],
): readonly Position[] {
  const names = clusters.map(({ cluster }) => cluster);
  const tokens = token === "" ? names.flatMap((name) => clusterTokens[name] ?? []) : [token];
  if (tokens.length === 0) return names.map((name) => [name, "", ""]);
  // The digest says that encodePositions wrote this.
  return tokens.flatMap((each) => JSON.parse(decodeContinueToken(listing, each)) as Position[]);
}
