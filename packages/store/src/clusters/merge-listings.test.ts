import { kubernetesSecretName, type SecretRecord, type SecretStore, SecretsError } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { encodeListToken } from "../list-token.ts";
import type { ClusterMember } from "./call-clusters.ts";
import { mergeListings } from "./merge-listings.ts";

const scope = { org: "flyte", domain: "", project: "" };
const request = { scope, includeSystem: false, limit: 100, token: "", clusterTokens: {} };

/** A cluster with secrets of these names, two of which are in each of its pages. */
function cluster(name: string, names: readonly string[], isDown = false): ClusterMember {
  const records = names.map((key): SecretRecord => {
    const clusters = [{ cluster: name, presence: "present" }] as const;
    return { id: { ...scope, name: key }, type: "generic", createdAt: new Date(0), system: false, clusters };
  });
  const sorted = records.toSorted((a, b) => (kubernetesSecretName(a.id) < kubernetesSecretName(b.id) ? -1 : 1));
  const store = {
    async list({ token }) {
      if (isDown) throw new SecretsError("store_unavailable", "down");
      const start = Number(token || "0");
      const end = start + 2;
      return { entries: sorted.slice(start, end), token: end < sorted.length ? String(end) : "", clusterTokens: {} };
    },
  } satisfies Pick<SecretStore, "list">;
  // Nothing but `list` is called.
  return { cluster: name, store: store as unknown as SecretStore };
}

const shown = ({ id, clusters }: SecretRecord) =>
  `${id.name}: ${clusters.map((each) => `${each.cluster} ${each.presence}`).join(", ")}`;

test("each secret once, with the clusters that have it, whatever the size of a page", async () => {
  const clusters = [cluster("a", ["k1", "k2", "k3", "k5"]), cluster("b", ["k2", "k4", "k5"])];
  const whole = await mergeListings(clusters, request, undefined);
  expect(whole.entries.map(shown).toSorted()).toEqual([
    "k1: a present, b missing",
    "k2: a present, b present",
    "k3: a present, b missing",
    "k4: a missing, b present",
    "k5: a present, b present",
  ]);
  expect(whole.token).toBe("");
  const entries: SecretRecord[] = [];
  let token = "";
  do {
    const page = await mergeListings(clusters, { ...request, limit: 1, token }, undefined);
    entries.push(...page.entries);
    token = page.token;
  } while (token !== "");
  expect(entries).toEqual(whole.entries);
});

test("a cluster that cannot be read is unknown, and an error once none can be", async () => {
  const [up, down] = [cluster("a", ["k1"]), cluster("b", [], true)];
  const { entries } = await mergeListings([up, down], request, undefined);
  expect(entries.map(shown)).toEqual(["k1: a present, b unknown"]);
  await expect(mergeListings([down], request, undefined)).rejects.toMatchObject({ code: "store_unavailable" });
});

test.each([
  "nonsense",
  "{}",
  "[1]",
  '[{"cluster":"a"}]',
  '[{"cluster":"a","pageToken":1,"after":""}]',
  "[null]",
])("a token with made-up positions is refused: %s", async (positions) => {
  const token = encodeListToken({ source: ["a"], scope, includeSystem: false }, positions);
  const listing = mergeListings([cluster("a", ["k1"])], { ...request, token }, undefined);
  await expect(listing).rejects.toMatchObject({ code: "page_token_invalid" });
});
