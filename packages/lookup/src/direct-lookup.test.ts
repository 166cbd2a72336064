import { type SecretFetcher, type SecretId, SecretsError, SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { createLookup } from "./direct-lookup.ts";
import { createStoreFetcher } from "./providers/store/provider.ts";

const scope = { org: "flyte", domain: "development", project: "shop" };
const project: SecretId = { ...scope, name: "api-key" };
const domain: SecretId = { ...project, project: "" };
const global: SecretId = { ...domain, domain: "" };

const ENCODED = {
  project: "u__org__flyte__domain__development__project__shop__key__api-key",
  domain: "u__org__flyte__domain__development__project____key__api-key",
  global: "u__org__flyte__domain____project____key__api-key",
};

async function withSecrets(...ids: SecretId[]) {
  const store = await openEmbeddedStore({ directory: createTemporaryDirectory() });
  onTestFinished(() => store.close());
  for (const id of ids) {
    await store.create(id, { value: SecretValue.fromText(`${id.domain}/${id.project}`), type: "generic" });
  }
  return { store, lookup: createLookup({ fetcher: createStoreFetcher(store) }) };
}

const attempt = (level: keyof typeof ENCODED, outcome: "found" | "not found") => ({
  provider: "Store",
  level,
  id: ENCODED[level],
  outcome,
});

test("the narrowest scope that has the key wins", async () => {
  const { store, lookup } = await withSecrets(global, domain, project);
  const found = async () => {
    const result = await lookup.find(scope, "api-key");
    return result.found ? [result.level, result.id, result.value.revealText(), result.attempts] : result;
  };
  expect(await found()).toEqual(["project", project, "development/shop", [attempt("project", "found")]]);
  await store.delete(project);
  expect(await found()).toEqual([
    "domain",
    domain,
    "development/",
    [attempt("project", "not found"), attempt("domain", "found")],
  ]);
  await store.delete(domain);
  expect(await found()).toEqual([
    "global",
    global,
    "/",
    [attempt("project", "not found"), attempt("domain", "not found"), attempt("global", "found")],
  ]);
});

test("found nowhere is an answer that says what was tried", async () => {
  const { lookup } = await withSecrets();
  expect(await lookup.find(scope, "api-key")).toEqual({
    found: false,
    attempts: [attempt("project", "not found"), attempt("domain", "not found"), attempt("global", "not found")],
  });
  expect(await lookup.find({ org: "flyte", domain: "", project: "" }, "api-key")).toEqual({
    found: false,
    attempts: [attempt("global", "not found")],
  });
});

test("an update is seen at the next lookup", async () => {
  const { store, lookup } = await withSecrets(project);
  await lookup.find(scope, "api-key");
  await store.update(project, SecretValue.fromText("rotated"));
  const result = await lookup.find(scope, "api-key");
  expect(result.found && result.value.revealText()).toBe("rotated");
});

test("a system secret is found by a task", async () => {
  const { store, lookup } = await withSecrets(global);
  await store.setSystem(global, true);
  expect(await lookup.find(scope, "api-key")).toMatchObject({ found: true, id: global });
});

test.each(["", "a b", "ключ", "a/b"])("a key that no secret can have is refused: %j", async (key) => {
  const { lookup } = await withSecrets();
  await expect(lookup.find(scope, key)).rejects.toMatchObject({ code: "invalid_argument" });
});

test("a backend that is broken is never taken for a secret that isn't there", async () => {
  const fetcher: SecretFetcher = {
    name: "Broken",
    fetch: () => Promise.reject(new SecretsError("store_unavailable", "down")),
  };
  await expect(createLookup({ fetcher }).find(scope, "api-key")).rejects.toMatchObject({ code: "store_unavailable" });
});

test("all scopes are asked for in one call, with the caller's signal", async () => {
  const calls: unknown[] = [];
  const { signal } = new AbortController();
  const fetcher: SecretFetcher = {
    name: "Recorder",
    async fetch(ids, options) {
      calls.push([ids, options]);
      return new Map();
    },
  };
  await createLookup({ fetcher }).find(scope, "api-key", { signal });
  expect(calls).toEqual([[[project, domain, global], { signal }]]);
});
