import fc from "fast-check";
import { describe, expect, test } from "vitest";
import vectors from "../../testkit/testdata/vectors/names.json" with { type: "json" };
import { SecretsError } from "./errors.ts";
import {
  checkSecretId,
  DEFAULT_ORGANIZATION,
  decodeSecretId,
  encodeSecretId,
  encodeShortSecretId,
  isInScope,
  type SecretId,
  scopeLevel,
  scopePrefix,
} from "./secret-id.ts";

// Few words, those of the encoding among them, so that ids come close to each other.
const word = fc.constantFrom("u", "org", "domain", "project", "key", "dev", "development", "a-b");
const validId: fc.Arbitrary<SecretId> = fc
  .record({
    org: word,
    domain: fc.oneof(fc.constant(""), word),
    project: fc.oneof(fc.constant(""), word),
    name: fc
      .array(fc.oneof(word, fc.constantFrom("_", "__")), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join("")),
  })
  .filter(({ domain, project }) => project === "" || domain !== "");

const projectWithoutDomain = { org: "flyte", domain: "", project: "P", name: "k" };
const projectWithoutDomainError = new SecretsError(
  "invalid_argument",
  'project-scoped secrets must also specify a domain, got project="P" domain=""',
);

describe("the encoded id", () => {
  test.each(vectors.identifiers)("$encodedId stands for its parts, both ways", ({
    org,
    domain,
    project,
    name,
    encodedId,
  }) => {
    expect(encodeSecretId({ org, domain, project, name })).toBe(encodedId);
    expect(decodeSecretId(encodedId)).toEqual({ org, domain, project, name });
  });

  test.each(vectors.undecodable)("$encodedId is refused", ({ encodedId, error }) => {
    expect(() => decodeSecretId(encodedId)).toThrow(new SecretsError("invalid_argument", error));
  });

  test("decodes to the id it was made of, so that no two valid ids share one", () => {
    fc.assert(
      fc.property(validId, (id) => {
        expect(decodeSecretId(encodeSecretId(id))).toEqual(id);
      }),
    );
    fc.assert(
      fc.property(validId, validId, (one, other) => {
        expect(encodeSecretId(one) === encodeSecretId(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  test("of any text decodes to an id that encodes to the same text, or is refused", () => {
    const part = fc.constantFrom("u", "org", "domain", "project", "key", "", "_", "x");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = ["u", "org", "o", "domain", "d", "project", "p", ...parts].join("__");
        try {
          expect(encodeSecretId(decodeSecretId(text))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid_argument" });
        }
      }),
    );
  });

  test("is not given to a project without a domain", () => {
    expect(() => encodeSecretId(projectWithoutDomain)).toThrow(projectWithoutDomainError);
  });
});

describe("a scope", () => {
  test.each([
    [{ org: "flyte", domain: "dev", project: "p" }, "project", "u__org__flyte__domain__dev__project__p"],
    [{ org: "flyte", domain: "dev", project: "" }, "domain", "u__org__flyte__domain__dev"],
    [{ org: "flyte", domain: "", project: "" }, "global", "u__org__flyte"],
  ])("%o has level %s and prefix %s", (scope, level, prefix) => {
    expect(scopeLevel(scope)).toBe(level);
    expect(scopePrefix(scope)).toBe(prefix);
    expect(encodeSecretId({ ...scope, name: "k" }).startsWith(prefix)).toBe(true);
  });

  test("with a project and no domain is refused", () => {
    expect(() => scopeLevel(projectWithoutDomain)).toThrow(projectWithoutDomainError);
    expect(() => scopePrefix(projectWithoutDomain)).toThrow(projectWithoutDomainError);
  });

  test("tells dev from development, which share a prefix", () => {
    const scope = { org: "flyte", domain: "dev", project: "" };
    const other = { org: "flyte", domain: "development", project: "p", name: "k" };
    expect(encodeSecretId(other).startsWith(scopePrefix(scope))).toBe(true);
    expect(isInScope(other, scope)).toBe(false);
    expect(isInScope({ ...other, domain: "dev" }, scope)).toBe(true);
  });

  test("holds what agrees with it in each part it sets", () => {
    const id = { org: "flyte", domain: "dev", project: "p", name: "k" };
    expect(isInScope(id, { org: "flyte", domain: "", project: "" })).toBe(true);
    expect(isInScope(id, { org: "flyte", domain: "dev", project: "p" })).toBe(true);
    expect(isInScope(id, { org: "flyte", domain: "dev", project: "q" })).toBe(false);
    expect(isInScope(id, { org: "acme", domain: "", project: "" })).toBe(false);
    expect(isInScope({ ...id, project: "p-2" }, { org: "flyte", domain: "dev", project: "p" })).toBe(false);
    expect(isInScope({ ...id, domain: "dev-2" }, { org: "flyte", domain: "dev", project: "p" })).toBe(false);
    expect(isInScope({ ...id, org: "flyte-2" }, { org: "flyte", domain: "dev", project: "p" })).toBe(false);
  });
});

describe("the documented short id", () => {
  test("exists for the broader scopes only", () => {
    const id = { org: "flyte", domain: "dev", project: "", name: "k__x" };
    expect(encodeShortSecretId(id)).toBe("u__org__flyte__domain__dev__key__k__x");
    expect(encodeShortSecretId({ ...id, domain: "" })).toBe("u__org__flyte__key__k__x");
    expect(encodeShortSecretId({ ...id, project: "p" })).toBeUndefined();
  });
});

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
