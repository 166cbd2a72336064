import { expect, test } from "vitest";
import { SecretsError } from "./errors.ts";
import { lookupIds } from "./lookup.ts";

const scope = { org: "flyte", domain: "dev", project: "p" };
const project = { level: "project", id: { org: "flyte", domain: "dev", project: "p", name: "k" } };
const domain = { level: "domain", id: { org: "flyte", domain: "dev", project: "", name: "k" } };
const global = { level: "global", id: { org: "flyte", domain: "", project: "", name: "k" } };

test("a key is looked up from the narrowest scope outwards", () => {
  expect(lookupIds(scope, "k")).toEqual([project, domain, global]);
  expect(lookupIds({ ...scope, project: "" }, "k")).toEqual([domain, global]);
  expect(lookupIds({ ...scope, domain: "", project: "" }, "k")).toEqual([global]);
});

test("a key may be all that a Kubernetes data key may be", () => {
  expect(lookupIds(scope, ".tls_v1.2-Key").map(({ id }) => id.name)).toEqual(Array(3).fill(".tls_v1.2-Key"));
});

test("ids that would be too long to exist are left out, and a key that has no other is refused", () => {
  const levels = (key: string, maxIdLength?: number) => lookupIds(scope, key, maxIdLength).map(({ level }) => level);
  // u__org__flyte__domain____project____key__: 41 characters, and 3 of the domain, and 1 of the project.
  expect(levels("k".repeat(208))).toEqual(["project", "domain", "global"]);
  expect(levels("k".repeat(209))).toEqual(["domain", "global"]);
  expect(levels("k".repeat(212))).toEqual(["global"]);
  expect(levels("k".repeat(213), 254)).toEqual(["global"]);
  const message = `key: with "${"k".repeat(120)}…" the encoded id is over the limit of 253 characters (webhook.limits.idLength) at every scope: use a shorter key`;
  for (const length of [213, 254, 5_000_000]) {
    expect(() => levels("k".repeat(length))).toThrow(new SecretsError("invalid_argument", message));
  }
});

test.each(["", "a/b", "a b", "é", "a\n", "$(X)"])("key %j is refused", (key) => {
  expect(() => lookupIds(scope, key)).toThrow(
    new SecretsError("invalid_argument", 'key: must be one or more of a-z, A-Z, 0-9, "-", "." and "_"'),
  );
});

test("a pod's label that would spell the id of another scope is refused", () => {
  expect(() => lookupIds({ ...scope, domain: "dev__project__q__key__x", project: "" }, "k")).toThrow(
    new SecretsError(
      "invalid_argument",
      'domain: must be a DNS-1123 label: 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends',
    ),
  );
});
