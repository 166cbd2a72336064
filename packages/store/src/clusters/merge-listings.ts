import type { ListPage, ListRequest, SecretRecord, StoreCallOptions } from "@flyte-secrets/core";
import { decodeListToken, encodeListToken, invalidListToken, type Listing } from "../list-token.ts";
import type { ClusterMember } from "./call-clusters.ts";
import { ClusterCursor, type ClusterPosition, decodePositions, encodePositions, listName } from "./cluster-cursor.ts";

/**
 * One page of the merged listings of all clusters: each secret once, in the order of Kubernetes names, with the
 * clusters that have it. A cluster that cannot be read is left out and has the presence `unknown`; the failure is
 * thrown if no cluster can be read. The token holds the position in each cluster.
 */
export async function mergeListings(
  clusters: readonly ClusterMember[],
  request: ListRequest,
  options: StoreCallOptions | undefined,
): Promise<ListPage> {
  const { scope, includeSystem, limit } = request;
  const listing: Listing = { source: clusters.map(({ cluster }) => cluster), scope, includeSystem };
  const positions = readPositions(listing, request);
  const cursors = clusters.flatMap((member) => {
    const position = positions.find(({ cluster }) => cluster === member.cluster);
    return position ? new ClusterCursor(member, position, { request, options }) : [];
  });
  const entries: SecretRecord[] = [];
  let after = positions[0]?.after ?? "";
  while (entries.length < limit) {
    await Promise.all(cursors.map((cursor) => cursor.fetchPage()));
    const first = firstOf(cursors.flatMap(({ head }) => head ?? []));
    if (first === undefined) break;
    after = listName(first);
    entries.push({ ...first, clusters: presences(clusters, cursors, after) });
    for (const cursor of cursors) if (cursor.head && listName(cursor.head) === after) cursor.advance();
  }
  const [failed] = cursors.flatMap(({ failure }) => failure ?? []);
  if (failed && cursors.every(({ failure }) => failure)) throw failed;
  // Clusters that failed are tried again with the next page, if there is one.
  const hasMore = cursors.some((cursor) => !cursor.isDone && !cursor.failure);
  const rest = hasMore ? cursors.filter((cursor) => !cursor.isDone).map((cursor) => cursor.positionAfter(after)) : [];
  const toToken = (some: readonly ClusterPosition[]) => encodeListToken(listing, encodePositions(some));
  return {
    entries,
    token: rest.length === 0 ? "" : toToken(rest),
    clusterTokens: Object.fromEntries(rest.map((position) => [position.cluster, toToken([position])])),
  };
}

function firstOf(heads: readonly SecretRecord[]): SecretRecord | undefined {
  let first = heads[0];
  for (const head of heads) if (first && listName(head) < listName(first)) first = head;
  return first;
}

/** In which clusters the secret of that name is, as far as their cursors show. */
function presences(
  clusters: readonly ClusterMember[],
  cursors: readonly ClusterCursor[],
  name: string,
): SecretRecord["clusters"] {
  return clusters.map(({ cluster }) => {
    const cursor = cursors.find((each) => each.cluster === cluster);
    if (cursor?.head && listName(cursor.head) === name) return { cluster, presence: "present" };
    return { cluster, presence: cursor?.failure ? "unknown" : "missing" };
  });
}

/** The positions to continue from, which are in one token for all clusters or in one for each. */
function readPositions(listing: Listing, { token, clusterTokens }: ListRequest): readonly ClusterPosition[] {
  const tokens = token === "" ? listing.source.flatMap((name) => clusterTokens[name] ?? []) : [token];
  if (tokens.length === 0) return listing.source.map((cluster) => ({ cluster, pageToken: "", after: "" }));
  return tokens.flatMap((each) => {
    const positions = decodePositions(decodeListToken(listing, each));
    if (positions === undefined) throw invalidListToken();
    return positions;
  });
}
