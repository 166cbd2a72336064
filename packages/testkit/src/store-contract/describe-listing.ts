import type { ListRequest, SecretId, SecretStore } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { generic, listRequest, type StartStore, type StoreHarness, secretId } from "./store-harness.ts";

/** Names that show a prefix search, an unstable order or a case-insensitive one. */
const IDS: readonly SecretId[] = [
  secretId("a"),
  secretId("B"),
  secretId("b__c"),
  secretId("a", { domain: "dev" }),
  secretId("z", { domain: "dev" }),
  secretId("a", { domain: "development" }),
  secretId("a", { domain: "dev", project: "shop" }),
  secretId("b", { domain: "dev", project: "shop" }),
  secretId("a", { domain: "dev", project: "shop-2" }),
  secretId("a", { domain: "development", project: "shop" }),
];

const text = ({ domain, project, name }: SecretId) => `${domain}/${project}/${name}`;

async function listAll(store: SecretStore, request: Partial<ListRequest>): Promise<string[]> {
  const found: string[] = [];
  let token = "";
  do {
    const page = await store.list(listRequest({ ...request, token }));
    expect(page.entries.length).toBeLessThanOrEqual(request.limit ?? Number.POSITIVE_INFINITY);
    found.push(...page.entries.map(({ id }) => text(id)));
    token = page.token;
  } while (token !== "");
  return found;
}

export function describeListing(start: StartStore): void {
  async function withSecrets(): Promise<StoreHarness> {
    const harness = await start();
    onTestFinished(() => harness.close());
    for (const id of IDS) await harness.store.create(id, generic("x"));
    return harness;
  }

  describe("listing", () => {
    test.each([
      { domain: "", project: "" },
      { domain: "dev", project: "" },
      { domain: "dev", project: "shop" },
      { domain: "development", project: "shop" },
      { domain: "elsewhere", project: "" },
      { domain: "dev", project: "sho" },
    ])('domain "$domain" and project "$project" match whole parts, page by page, each entry once, in one order', async ({
      domain,
      project,
    }) => {
      const { store } = await withSecrets();
      const scope = { org: "flyte", domain, project };
      const expected = IDS.filter(
        (id) => (domain === "" || id.domain === domain) && (project === "" || id.project === project),
      );
      const whole = await listAll(store, { scope });
      expect(whole.toSorted()).toEqual(expected.map(text).toSorted());
      for (const limit of [1, 2, 3, IDS.length]) expect(await listAll(store, { scope, limit })).toEqual(whole);
    });

    test("each organization's secrets are listed for it alone, at every scope", async () => {
      const { store } = await withSecrets();
      const theirs = IDS.map((id) => ({ ...id, org: "other" }));
      for (const id of theirs) await store.create(id, generic("theirs"));
      for (const org of ["flyte", "other"]) {
        const scope = { org, domain: "", project: "" };
        const narrow = { org, domain: "dev", project: "shop" };
        for (const limit of [3, 500]) {
          expect((await listAll(store, { scope, limit })).toSorted()).toEqual(IDS.map(text).toSorted());
          expect((await listAll(store, { scope: narrow, limit })).toSorted()).toEqual(["dev/shop/a", "dev/shop/b"]);
        }
      }
      await store.delete(secretId("a"));
      expect(await store.get({ ...secretId("a"), org: "other" })).toMatchObject({ id: { org: "other", name: "a" } });
    });

    test("an entry that exists throughout is listed once, whatever comes and goes between the pages", async () => {
      const { store } = await withSecrets();
      const first = await store.list(listRequest({ limit: 4 }));
      const deleted = first.entries.map(({ id }) => id);
      for (const id of deleted) await store.delete(id);
      await store.create(secretId("0-new"), generic("x"));
      await store.create(secretId("zz-new", { domain: "zz" }), generic("x"));
      const seen = [...deleted.map(text)];
      for (let { token } = first; token !== ""; ) {
        const page = await store.list(listRequest({ limit: 4, token }));
        seen.push(...page.entries.map(({ id }) => text(id)));
        token = page.token;
      }
      const throughout = IDS.map(text);
      expect(seen.filter((entry) => throughout.includes(entry)).toSorted()).toEqual(throughout.toSorted());
    });

    test("the token alone carries the whole position; per-cluster tokens do so too", async () => {
      const { store } = await withSecrets();
      const first = await store.list(listRequest({ limit: 3 }));
      const next = await store.list(listRequest({ limit: 3, token: first.token }));
      expect(Object.keys(first.clusterTokens).length).toBeGreaterThan(0);
      expect(await store.list(listRequest({ limit: 3, clusterTokens: first.clusterTokens }))).toEqual(next);
      const last = await store.list(listRequest());
      expect([last.token, last.clusterTokens]).toEqual(["", {}]);
    });

    test("a token of another scope, of the system listing, of another store, cut or made up is refused", async () => {
      const { store } = await withSecrets();
      const { store: otherStore } = await withSecrets();
      const scope = { org: "flyte", domain: "dev", project: "" };
      const { token } = await store.list(listRequest({ scope, limit: 1 }));
      const refusal = { code: "page_token_invalid" };
      expect((await store.list(listRequest({ scope, token }))).entries.length).toBeGreaterThan(0);
      await expect(store.list(listRequest({ token }))).rejects.toMatchObject(refusal);
      await expect(store.list(listRequest({ scope, token, includeSystem: true }))).rejects.toMatchObject(refusal);
      await expect(otherStore.list(listRequest({ scope, token }))).rejects.toMatchObject(refusal);
      for (const broken of [token.slice(0, -2), `${token}AA`, token.toUpperCase(), "x", "!", "AAAA".repeat(20)]) {
        await expect(store.list(listRequest({ scope, token: broken }))).rejects.toMatchObject(refusal);
      }
    });
  });
}
