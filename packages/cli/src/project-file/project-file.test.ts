import { MountRequirement } from "@flyte-secrets/core";
import { describe, expect, it, test } from "vitest";
import { parseVariableRequest } from "../exec/parse-request.ts";
import { needsIn, parseProjectFile } from "./project-file.ts";

const parse = (text: string) => parseProjectFile(text, "flyte-secrets.yaml");
const refusal = (text: string) => {
  try {
    parse(text);
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
  return "it was read";
};

const FILE = `
project: shop
domain: development
secrets:
  - key: openai-key
    description: Key of the model's API
  - key: password
    group: db
    variable: PGPASSWORD
  - key: service-account
    as: file
    variable: GOOGLE_APPLICATION_CREDENTIALS
    optional: true
  - { group: projects/p/secrets/s, groupVersion: "3", as: any }
environments:
  production:
    domain: production
    secrets:
      - { key: other-password, variable: PGPASSWORD }
      - { key: service-account, as: file }
  empty: {}
`;

describe("a project file", () => {
  it("says what is asked for, as the options of exec would", () => {
    const file = parse(FILE);
    expect(file).toMatchObject({ project: "shop", domain: "development" });
    expect(file.secrets.map(({ request }) => request)).toEqual([
      parseVariableRequest("openai-key"),
      parseVariableRequest("db/password=PGPASSWORD"),
      {
        group: "",
        groupVersion: "",
        key: "service-account",
        mountRequirement: MountRequirement.FILE,
        envVar: "GOOGLE_APPLICATION_CREDENTIALS",
      },
      {
        group: "projects/p/secrets/s",
        groupVersion: "3",
        key: "",
        mountRequirement: MountRequirement.ANY,
        envVar: "",
      },
    ]);
    expect(file.secrets.map(({ optional }) => optional)).toEqual([false, false, true, false]);
    expect(file.secrets.map(({ description }) => description)).toEqual(["Key of the model's API", "", "", ""]);
  });

  it("has in an environment its scope, and its secrets in place of the same and of others in the same variable", () => {
    const needs = needsIn(parse(FILE), "production");
    expect(needs).toMatchObject({ project: "shop", domain: "production" });
    expect(needs.secrets.map(({ request: { key, group }, optional }) => [key || group, optional])).toEqual([
      ["openai-key", false],
      ["projects/p/secrets/s", false],
      ["other-password", false],
      ["service-account", false],
    ]);
    const { project, domain, secrets } = parse(FILE);
    expect(needsIn(parse(FILE), "empty")).toEqual({ project, domain, secrets });
  });

  it("has no other environments", () => {
    expect(() => needsIn(parse(FILE), "prodcution")).toThrow(
      "--environment: flyte-secrets.yaml has no environment prodcution; it has production",
    );
    expect(() => needsIn(parse("secrets: []"), "a")).toThrow(
      "--environment: flyte-secrets.yaml has no environment a; it has none",
    );
  });
});

const CANARY = "sk-canary-of-a-value";

test.each([
  ["", "1: it must be a map"],
  ["- a", "1: it must be a map"],
  ["project: a", "1: it has no secrets"],
  ["secrets:", "1: secrets must be a list, with a dash before each entry"],
  ["project: a\nsecrets:\n  key: a", "2: secrets must be a list, with a dash before each entry"],
  ["secrets:\n  - a", "2: secrets[0] must be a map"],
  ["secrets:\n  - group: a\n  - as: file", "3: secrets[1] has no key and no group"],
  ["secrets:\n  - key: a\n    vairable: A", "3: secrets[0] has an unknown key vairable; did you mean variable?"],
  ["secret: []", "1: it has an unknown key secret; did you mean secrets?"],
  [
    "secrets:\n  - key: a\n    name: b",
    "3: secrets[0] has an unknown key name; its keys are key, group, groupVersion, description, as, variable, optional",
  ],
  [
    `secrets:\n  - key: a\n    value: ${CANARY}`,
    "3: secrets[0] has a key value: values have no place in this file, which everybody reads who reads the " +
      "repository; keep them with: flyte-secrets create secret KEY",
  ],
  [`secrets:\n  - key: a\n    as: ${CANARY}`, "3: secrets[0].as must be one of variable, file, any"],
  [
    `secrets:\n  - key: a\n    variable: ${CANARY}`,
    "3: secrets[0].variable must be the name of a variable, in capital letters, digits and _",
  ],
  [`secrets:\n  - key: "${CANARY} "`, '2: secrets[0].key must be 1 to 253 of a-z, A-Z, 0-9, "-", "." and "_"'],
  ["secrets:\n  - key: a\n    groupVersion: 3", "3: secrets[0].groupVersion must be text: write it in quotes"],
  ["secrets:\n  - key: a\n    optional: yes", "3: secrets[0].optional must be true or false"],
  ["project: Shop\nsecrets: []", '1: project must be 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends'],
  [
    "secrets: []\nenvironments:\n  Prod: {}",
    '3: environments has a key Prod, and each must be 1 to 63 of a-z, 0-9 and "-", with a letter or digit at both ends',
  ],
  [
    "secrets: []\nenvironments:\n  prod:\n    environments: {}",
    "4: environments.prod has an unknown key environments; its keys are project, domain, secrets",
  ],
  [
    "secrets:\n  - key: a.b",
    "2: secrets[0] would be the variable A.B, which is no name of one; choose one: variable: NAME",
  ],
  [
    "secrets:\n  - { key: a, variable: C }\n  - { key: b, variable: C }",
    '3: secrets[1] and "a" are both the variable C, which holds only one',
  ],
  ["secrets:\n  - key: a\n  - key: a", '3: secrets[1] repeats "a"'],
  [
    "secrets: []\nenvironments: { prod: { secrets: [{ key: a }, { key: a }] } }",
    '2: environments.prod.secrets[1] repeats "a"',
  ],
])("%j is refused, with its line and no content", (text, message) => {
  expect(refusal(text)).toBe(`flyte-secrets.yaml:${message}`);
  expect(message).not.toContain(CANARY);
});

test.each([
  [`a: &a [*a]`, "an alias within what it stands for at line 1"],
  [`secrets: [\n`, "BAD_INDENT at line 2"],
  ["secrets: []\nsecrets: []", "DUPLICATE_KEY at line 2"],
  ["secrets: []\n---\nsecrets: []", "it has a second document"],
])("%j is no YAML to read", (text, problem) => {
  expect(refusal(text)).toBe(`flyte-secrets.yaml is not valid YAML: ${problem}`);
});

test("at most 256 secrets are read", () => {
  const many = (count: number) => `secrets:\n${Array.from({ length: count }, (_, at) => `  - key: k${at}\n`).join("")}`;
  expect(parse(many(256)).secrets).toHaveLength(256);
  expect(refusal(many(257))).toBe("flyte-secrets.yaml:1: secrets has more than 256 entries");
});
