import { GetSecretRequestSchema, ListSecretsRequestSchema } from "@flyte-secrets/idl";
import { expect, test } from "vitest";
import { readQuery } from "./read-query.ts";

test.each([
  [
    "id.domain=d&id.project=p&include_system_secrets=true",
    { id: { domain: "d", project: "p" }, includeSystemSecrets: true },
  ],
  ["id.name=a%20b&includeSystemSecrets=1", { id: { name: "a b" }, includeSystemSecrets: true }],
  ["include_system_secrets=0", { includeSystemSecrets: false }],
  ["id=x&id.colour=red&nothing=1&id[name]=x", { id: {} }],
  ["", {}],
])("reads %s for GetSecret", (query, expected) => {
  expect(readQuery(GetSecretRequestSchema, new URLSearchParams(query))).toEqual(expected);
});

test.each([
  ["domain=d&project=p&limit=20&token=t%3D", { domain: "d", project: "p", limit: 20, token: "t=" }],
  ["per_cluster_tokens[one]=a&perClusterTokens[t.wo]=b", { perClusterTokens: { one: "a", "t.wo": "b" } }],
  ["per_cluster_tokens=x&per_cluster_tokens.one=x", {}],
  ["limit=-5", { limit: -5 }],
])("reads %s for ListSecrets", (query, expected) => {
  expect(readQuery(ListSecretsRequestSchema, new URLSearchParams(query))).toEqual(expected);
});

test.each([
  "limit=1.5",
  "limit=2147483648",
  "limit=1e3",
  "limit=",
  "domain=a&domain=b",
  "include_system_secrets=yes",
])("refuses %s, naming the parameter", (query) => {
  const name = query.split("=", 1)[0] ?? "";
  expect(() => readQuery(ListSecretsRequestSchema, new URLSearchParams(query))).toThrow(
    expect.objectContaining({ rawMessage: expect.stringMatching(new RegExp(`^${name}: `)) }),
  );
});
