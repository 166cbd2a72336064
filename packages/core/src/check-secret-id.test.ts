import { expect, test } from "vitest";
import vectors from "../../testkit/testdata/vectors/names.json" with { type: "json" };
import { checkSecretId } from "./check-secret-id.ts";
import { SecretsError } from "./errors.ts";
import { DEFAULT_ORGANIZATION, encodeSecretId, type SecretId } from "./secret-id.ts";

const KUBERNETES = { maxIdLength: 253 };
const label = (field: string): string =>
  `${field}: must be a DNS-1123 label: 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends`;
const name = 'name: must be one or more of a-z, A-Z, 0-9, "-" and "_"';
const valid = { org: "flyte", domain: "dev", project: "p", name: "k" };

test.each(vectors.identifiers)("$encodedId is fine", ({ org, domain, project, name }) => {
  expect(() => checkSecretId({ org, domain, project, name }, KUBERNETES)).not.toThrow();
});

test.each(vectors.rejectedIdentifiers)("$why: refused", ({ domain, project, name }) => {
  expect(() => checkSecretId({ org: DEFAULT_ORGANIZATION, domain, project, name }, KUBERNETES)).toThrow(SecretsError);
});

test.each([
  [{ org: "" }, label("organization")],
  [{ org: "Flyte" }, label("organization")],
  [{ domain: "d__x", project: "" }, label("domain")],
  [{ domain: "-d" }, label("domain")],
  [{ domain: "d-" }, label("domain")],
  [{ domain: "d.e" }, label("domain")],
  [{ domain: "d\n" }, label("domain")],
  [{ project: "P" }, label("project")],
  [{ project: "p".repeat(64) }, label("project")],
  [{ domain: "", project: "p" }, 'project-scoped secrets must also specify a domain, got project="p" domain=""'],
  [{ name: "" }, name],
  [{ name: "a.b" }, name],
  [{ name: "a\n" }, name],
  [
    { name: "n".repeat(209) },
    "name: the encoded id of organization, domain, project and name has 254 characters, this store takes at most 253: use a shorter name",
  ],
])("%o is refused with the field and the rule", (change, message) => {
  expect(() => checkSecretId({ ...valid, ...change }, KUBERNETES)).toThrow(
    new SecretsError("invalid_argument", message),
  );
});

test.each([
  { project: "p".repeat(63) },
  { project: "0" },
  { domain: "a--b" },
  { name: "_-__" },
  { name: "n".repeat(208) },
])("%o is just within the rules", (change) => {
  expect(() => checkSecretId({ ...valid, ...change }, KUBERNETES)).not.toThrow();
});

test("an id of any length is fine where the store sets no limit", () => {
  expect(() => checkSecretId({ ...valid, name: "n".repeat(5000) })).not.toThrow();
});

test("of the ids that share one encoded id, which there are without the rules, one at most is fine", () => {
  const parts = ["", "d", "p", "d__project__p__key__x", "x__project____key__k", "k", "_", "__"];
  const ids = parts.flatMap((domain) =>
    parts.flatMap((project) => parts.map((name) => ({ org: DEFAULT_ORGANIZATION, domain, project, name }))),
  );
  const writable = ids.filter(({ domain, project }) => project === "" || domain !== "");
  const sharing = Object.values(Object.groupBy(writable, encodeSecretId)).filter((group) => (group?.length ?? 0) > 1);
  expect(sharing).toContainEqual([
    { org: "flyte", domain: "d", project: "p", name: "x__project____key__k" },
    { org: "flyte", domain: "d__project__p__key__x", project: "", name: "k" },
  ]);
  for (const group of sharing) expect(group?.filter(isFine).length).toBeLessThanOrEqual(1);
});

function isFine(id: SecretId): boolean {
  try {
    checkSecretId(id);
    return true;
  } catch {
    return false;
  }
}
