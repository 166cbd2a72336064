import {
  type SecretLookup,
  type SecretRequest,
  SecretsError,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createInlineDelivery } from "../delivery/inline.ts";
import { createSecretRefDelivery } from "../delivery/secret-ref.ts";
import { createEmbeddedInjector } from "../managers/embedded.ts";
import { createGroupInjector } from "../managers/group.ts";
import type { Injector, VariableNaming } from "../managers/injector.ts";
import { createK8sInjector } from "../managers/k8s.ts";
import { createMutator } from "../mutator.ts";
import { parsePod } from "../pod/parse-pod.ts";

const ENV_VAR = 1;
const FILE = 2;
const lookup: Required<SecretLookup> = {
  async find(scope, key) {
    return {
      found: true,
      level: "global",
      id: { ...scope, name: key },
      value: SecretValue.fromText(key),
      attempts: [],
    };
  },
  async findInGroup(group, key) {
    return { found: true, value: SecretValue.fromText("the same"), label: `AWS:${group}/${key}` };
  },
};
const embedded = createEmbeddedInjector({ lookup });
const byGroup = createGroupInjector({ lookup });
const k8s = createK8sInjector({ lookup, copies: false });

interface Setup {
  readonly managers?: readonly Injector[];
  readonly style?: VariableNaming["style"];
}

/** The warnings; the message of a conflict. */
async function check(
  requests: readonly Partial<SecretRequest>[],
  setup: Setup = {},
): Promise<readonly string[] | string> {
  const { managers = [embedded], style = "posix" } = setup;
  const full = requests.map((request) => ({
    group: "",
    groupVersion: "",
    key: "",
    mountRequirement: ENV_VAR,
    envVar: "",
    ...request,
  }));
  const labels = { organization: "flyte", domain: "dev", project: "p1" };
  const metadata = { labels, annotations: toRequestAnnotations(full) };
  const outcomes = [createInlineDelivery(), createSecretRefDelivery({ writer: { async write() {} } })].map(
    async (delivery) => {
      const mutator = createMutator({ managers, secretEnvVarPrefix: "_UNION_", envVarNaming: style, delivery });
      try {
        const mutation = await mutator.mutate(parsePod({ metadata, spec: { containers: [{ name: "main" }] } }));
        return mutation.changed ? mutation.warnings : ["nothing changed"];
      } catch (error) {
        if (error instanceof SecretsError && error.code === "pod_conflict") return error.message;
        throw error;
      }
    },
  );
  const [inline = "", secretRef] = await Promise.all(outcomes);
  expect(secretRef).toEqual(inline);
  return inline;
}

const both = (one: string, other: string, variable: string, manager = "Embedded") =>
  `secrets [${one}] of ${manager} and [${other}] of ${manager} would both be the variable ${variable}, which holds only one: ` +
  "give one of them another env_var, or mount it as a file";

describe("two secrets in one variable are refused", () => {
  it.each([
    ["names in another case", [{ key: "token" }, { key: "TOKEN" }], both("token", "TOKEN", "_UNION_TOKEN")],
    ["- and _", [{ key: "api-key" }, { key: "api_key" }], both("api-key", "api_key", "_UNION_API_KEY")],
    [
      "one env_var",
      [
        { key: "a", envVar: "T" },
        { key: "b", envVar: "T" },
      ],
      both("a", "b", "T"),
    ],
    ["an env_var as the other's own", [{ key: "a", envVar: "_UNION_B" }, { key: "b" }], both("a", "b", "_UNION_B")],
    [
      "a value and a path",
      [
        { key: "a", envVar: "T" },
        { key: "b", envVar: "T", mountRequirement: FILE },
      ],
      both("a", "b", "T"),
    ],
    [
      "value and path of one secret",
      [
        { key: "a", envVar: "T" },
        { key: "a", envVar: "T", mountRequirement: FILE },
      ],
      both("a", "a", "T"),
    ],
    [
      "two paths",
      [
        { key: "a", envVar: "T", mountRequirement: FILE },
        { key: "b", envVar: "T", mountRequirement: FILE },
      ],
      both("a", "b", "T"),
    ],
  ])("%s", async (_, requests, message) => {
    expect(await check(requests)).toBe(message);
  });

  it("of AWS, by group, also when the values are the same today", async () => {
    const requests = [
      { group: "db-a", key: "password" },
      { group: "db-b", key: "password" },
    ];
    expect(await check(requests, { managers: [byGroup] })).toBe(
      both("db-a/password", "db-b/password", "_UNION_PASSWORD", "Embedded by group"),
    );
  });

  it("of K8s, whose variables have the group before the key", async () => {
    const requests = [
      { group: "a", key: "b_c" },
      { group: "a_b", key: "c" },
    ];
    expect(await check(requests, { managers: [k8s] })).toBe(both("a/b_c", "a_b/c", "_UNION_A_B_C", "K8s"));
  });
});

describe("one variable for one thing is no conflict", () => {
  it.each([
    [
      "the same secret under two groups, which Embedded doesn't look at",
      [
        { key: "a", group: "g" },
        { key: "a", group: "h" },
      ],
    ],
    [
      "the same secret as a variable of two names and as a file",
      [{ key: "a" }, { key: "a", envVar: "B" }, { key: "a", mountRequirement: FILE }],
    ],
    ["different variables", [{ key: "token" }, { key: "other", envVar: "OTHER" }, { key: "token", envVar: "T" }]],
  ])("%s", async (_, requests) => {
    expect(await check(requests)).toEqual([]);
  });

  it("names that differ by - and _ with raw naming", async () => {
    expect(await check([{ key: "api-key" }, { key: "api_key" }], { style: "raw" })).toEqual([]);
  });
});

it.each([
  "FLYTE_SECRETS_ENV_PREFIX",
  "FLYTE_SECRETS_DEFAULT_DIR",
  "FLYTE_SECRETS_FILE_PREFIX",
])("a secret, or its path, in %s is refused: tasks would look for all secrets elsewhere", async (envVar) => {
  const message = `secret [a] of Embedded would be the variable ${envVar}, which tells tasks where secrets are: give it another env_var`;
  expect(await check([{ key: "a", envVar }])).toBe(message);
  expect(await check([{ key: "a", envVar, mountRequirement: FILE }])).toBe(message);
});

it("a variable by which programs choose the code that they run is warned of, once", async () => {
  const warning = (name: string) =>
    `secret [a] of Embedded is the variable ${name}, by which programs find or choose the code that they run: give it another env_var`;
  expect(
    await check([
      { key: "a", envVar: "PATH" },
      { key: "a", group: "g", envVar: "PATH" },
    ]),
  ).toEqual([warning("PATH")]);
  expect(
    await check([
      { key: "a", envVar: "LD_PRELOAD" },
      { key: "a", envVar: "PYTHONPATH", mountRequirement: FILE },
    ]),
  ).toEqual([warning("LD_PRELOAD"), warning("PYTHONPATH")]);
  expect(await check([{ key: "a", envVar: "MY_PATH" }])).toEqual([]);
});

describe("a secret in whose place a task would read another is warned of", () => {
  const warning = (read: string, other: string, variable: string, manager = "Embedded") =>
    `a task that reads secret [${read}] of ${manager} by its name gets [${other}] of ${manager}, which is the variable ${variable}: ` +
    "rename one, or give that one an env_var";

  it.each([
    [
      "a file and a variable",
      [{ key: "TOKEN", mountRequirement: FILE }, { key: "token" }],
      "TOKEN",
      "token",
      "_UNION_TOKEN",
    ],
    ["another env_var", [{ key: "token" }, { key: "TOKEN", envVar: "OTHER" }], "TOKEN", "token", "_UNION_TOKEN"],
    [
      "- and _",
      [{ key: "api-key", mountRequirement: FILE }, { key: "api_key" }],
      "api-key",
      "api_key",
      "_UNION_API_KEY",
    ],
  ])("%s", async (_, requests, read, other, variable) => {
    expect(await check(requests)).toEqual([warning(read, other, variable)]);
  });

  it("of AWS, by group", async () => {
    const requests = [
      { group: "db-a", key: "password" },
      { group: "db-b", key: "password", mountRequirement: FILE },
    ];
    expect(await check(requests, { managers: [byGroup] })).toEqual([
      warning("db-b/password", "db-a/password", "_UNION_PASSWORD", "Embedded by group"),
    ]);
  });

  it("not where the same secret is both, or the one found first is the right one", async () => {
    expect(await check([{ key: "token", mountRequirement: FILE }, { key: "token" }])).toEqual([]);
    expect(await check([{ key: "api-key" }, { key: "api_key" }], { style: "raw" })).toEqual([]);
    expect(
      await check(
        [
          { group: "db", key: "password" },
          { group: "other", key: "password" },
        ],
        { managers: [k8s] },
      ),
    ).toEqual([]);
  });
});
