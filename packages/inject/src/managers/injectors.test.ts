import {
  lookupIds,
  MountRequirement,
  type ScopeLookup,
  type SecretRequest,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createAwsInjector } from "./aws.ts";
import { createAzureInjector } from "./azure.ts";
import { createEmbeddedInjector } from "./embedded.ts";
import { createGcpInjector } from "./gcp.ts";
import { createGlobalInjector } from "./global.ts";
import type { InjectContext, Injection, Injector } from "./injector.ts";
import { createK8sInjector } from "./k8s.ts";
import { createVaultInjector } from "./vault.ts";

const { ANY, ENV_VAR, FILE } = MountRequirement;
const CONTEXT: InjectContext = {
  labels: { organization: "flyte", domain: "dev", project: "p1" },
  namespace: "p1-dev",
  variables: { prefix: "_UNION_", style: "raw" },
};
const CANARY = "canary-value";

const lookup: ScopeLookup = {
  async find(scope, key) {
    const ids = lookupIds(scope, key);
    const [narrowest] = ids;
    const values: Record<string, SecretValue> = {
      k: SecretValue.fromText(CANARY),
      empty: SecretValue.fromText(""),
      binary: SecretValue.fromBytes(Uint8Array.of(0xff, 0xfe)),
      nul: SecretValue.fromText("a\0b"),
      large: SecretValue.fromText("x".repeat(131_072 - "_UNION_LARGE=".length)),
      largest: SecretValue.fromText("x".repeat(131_072 - "_UNION_LARGEST=".length - 1)),
    };
    const value = values[key];
    if (value && narrowest) return { found: true, ...narrowest, value, attempts: [] };
    const attempts = ids.map(
      ({ level, id }) => ({ provider: "Store", level, id: `${level}/${id.name}`, outcome: "not found" }) as const,
    );
    return { found: false, attempts };
  },
};

const broken: ScopeLookup = {
  async find() {
    throw new SecretsError("store_unavailable", "the store is down");
  },
};

const global = createGlobalInjector({
  readVariable: (name) => (name === "FLYTE_SECRET_G_K" ? CANARY : undefined),
  async readFile(path) {
    return path === "/etc/secrets/Group/Key" ? SecretValue.fromText(CANARY) : undefined;
  },
});

function requestOf(fields: Partial<SecretRequest>): SecretRequest {
  return { group: "", groupVersion: "", key: "", mountRequirement: ANY, envVar: "", ...fields };
}

/** What every injector is held to. */
interface Contract {
  readonly injector: Injector;
  /** Requests that it serves. */
  readonly serves: readonly Partial<SecretRequest>[];
  /** Requests that it doesn't serve, and what it says. */
  readonly refuses: readonly (readonly [reason: string, request: Partial<SecretRequest>])[];
}

const NOT_BELOW = "the path of its file is not below /etc/flyte/secrets";
const needsGroupAndKey = (reason: string): Contract["refuses"] => [
  [reason, { group: "g" }],
  [reason, { key: "k" }],
];
const noVariable: Contract["refuses"][number] = [
  "unrecognized mount requirement [ENV_VAR] for secret [k]",
  { group: "g", groupVersion: "1", key: "k", mountRequirement: ENV_VAR },
];
const inScript = (field: string, text: string) =>
  `${field} goes into a script and may only have letters, digits and "-_.:/~", and not begin with "-", got ${JSON.stringify(text)}`;
const HOSTILE = [
  "; rm -rf x",
  "$(id)",
  "`id`",
  "a\nb",
  "a'b",
  'a"b',
  "$(NAME)",
  "--help",
  "a b",
  "a|b",
  "a&b",
  "a>b",
  "*",
  "é",
  "\0",
];

const contracts: readonly Contract[] = [
  {
    injector: global,
    serves: [
      { group: "g", key: "k" },
      { group: "Group", key: "Key", mountRequirement: ENV_VAR },
    ],
    refuses: [
      ...needsGroupAndKey("global secrets require both group and key to be set"),
      [
        "global secrets can only be injected as environment variables",
        { group: "g", key: "k", mountRequirement: FILE },
      ],
      ["found neither the variable FLYTE_SECRET_A_B nor the file /etc/secrets/a/b", { group: "a", key: "b" }],
      ["group and key must name a file below the directory of global secrets", { group: "..", key: "k" }],
      ["group and key must name a file below the directory of global secrets", { group: "g", key: "../../k" }],
      ['the key of a global secret can\'t have a "/": that belongs to the group', { group: "a", key: "b/c" }],
      ["group and key must name a file below the directory of global secrets", { group: "g", key: "." }],
    ],
  },
  {
    injector: createEmbeddedInjector({ lookup }),
    serves: [
      { key: "k" },
      { key: "k", group: "ignored", mountRequirement: FILE },
      { key: "empty" },
      { key: "largest" },
    ],
    refuses: [
      ["Embedded Secrets Webhook requires key to be set", { group: "g" }],
      [
        "secret not found across all scopes, looked for project/x (Store), domain/x (Store), global/x (Store)",
        { key: "x" },
      ],
      ['key: must be one or more of a-z, A-Z, 0-9, "-", "." and "_"', { key: "../x" }],
      ['key: must be one or more of a-z, A-Z, 0-9, "-", "." and "_"', { key: "a/b", mountRequirement: FILE }],
      [`key ".." can't be the name of a file`, { key: "..", mountRequirement: FILE }],
      [`key "..k" can't be the name of a file`, { key: "..k", mountRequirement: FILE }],
      [`key "a/../b" can't be the name of a file`, { key: "a/../b", mountRequirement: FILE }],
      [`key "/a" can't be the name of a file`, { key: "/a", mountRequirement: FILE }],
      [`key "a//b" can't be the name of a file`, { key: "a//b", mountRequirement: FILE }],
      [`key "a\\nb" can't be the name of a file`, { key: "a\nb", mountRequirement: FILE }],
      [`key "${"k".repeat(120)}…" can't be the name of a file`, { key: "k".repeat(256), mountRequirement: FILE }],
      [
        'secret "binary" is attempted to be mounted as an environment variable, but has a binary value that is not a valid UTF-8 string; mount as a file instead',
        { key: "binary" },
      ],
      [
        'secret "nul" is attempted to be mounted as an environment variable, but has a value with a NUL byte; mount as a file instead',
        { key: "nul", mountRequirement: ENV_VAR },
      ],
      [
        'secret "large" is attempted to be mounted as an environment variable, but has a value of 131059 bytes, with which the variable would be longer than the 131072 bytes that Linux takes; mount as a file instead',
        { key: "large" },
      ],
    ],
  },
  {
    injector: createK8sInjector({ lookup, copies: true }),
    serves: [{ group: "g", key: "k" }, { group: "g", key: "k", mountRequirement: ENV_VAR }, { key: "k" }],
    refuses: [
      ["k8s Secrets Webhook require key to be set", { group: "g" }],
      [
        "secret not found across all scopes, looked for project/x (Store), domain/x (Store), global/x (Store)",
        { key: "x" },
      ],
      [NOT_BELOW, { group: "../g", key: "k" }],
      [NOT_BELOW, { group: "..", key: "k" }],
      [NOT_BELOW, { group: "g", key: "../k" }],
    ],
  },
  {
    injector: createK8sInjector({ lookup, copies: false }),
    serves: [{ group: "g", key: "k" }],
    refuses: [["the secret is not in namespace p1-dev, and only delivery SecretRef copies it there", { key: "k" }]],
  },
  {
    injector: createAwsInjector(),
    serves: [
      { group: "g", key: "k" },
      { group: "arn:aws:s:", key: ":k", mountRequirement: FILE },
    ],
    refuses: [
      ...needsGroupAndKey("AWS Secrets Webhook requires both group and key to be set"),
      noVariable,
      [NOT_BELOW, { group: "..", key: "k" }],
      [NOT_BELOW, { group: "g", key: ".." }],
    ],
  },
  {
    injector: createGcpInjector(),
    serves: [
      { group: "g", groupVersion: "1" },
      { group: "projects/p/secrets/s", groupVersion: "latest", mountRequirement: FILE },
    ],
    refuses: [
      ["GCP Secrets Webhook requires both group and group_version to be set", { group: "g", key: "k" }],
      ["GCP Secrets Webhook requires both group and group_version to be set", { groupVersion: "1", key: "k" }],
      noVariable,
      [NOT_BELOW, { group: "g/../..", groupVersion: "1" }],
      ...HOSTILE.map((text) => [inScript("group", text), { group: text, groupVersion: "1" }] as const),
      ...HOSTILE.map((text) => [inScript("group_version", text), { group: "g", groupVersion: text }] as const),
    ],
  },
  {
    injector: createAzureInjector(),
    serves: [
      { group: "https://v.vault.azure.net/secrets/N/" },
      { group: "g", groupVersion: "1", mountRequirement: FILE },
    ],
    refuses: [
      ["Azure Secrets Webhook requires group to be set to the URI of the secret", { key: "k" }],
      ["Azure Secrets Webhook requires group to be set to the URI of the secret", { group: "//", key: "k" }],
      noVariable,
      [NOT_BELOW, { group: "https://v/secrets/..", groupVersion: "1" }],
      ...HOSTILE.map((text) => [inScript("group", text), { group: text }] as const),
      ...HOSTILE.map((text) => [inScript("group_version", text), { group: "g", groupVersion: text }] as const),
    ],
  },
  {
    injector: createVaultInjector(),
    serves: [
      { group: "g", key: "k" },
      { group: "g", key: "k", groupVersion: "db", mountRequirement: FILE },
    ],
    refuses: [
      ...needsGroupAndKey("Vault Secrets Webhook requires both group and key to be set"),
      [
        "Env_Var is not a supported mount requirement for Vault Secret Manager",
        { group: "g", key: "k", mountRequirement: ENV_VAR },
      ],
      [NOT_BELOW, { group: "..", key: "k" }],
    ],
  },
];

describe.each(contracts)("$injector.name", ({ injector, serves, refuses }) => {
  const inject = (fields: Partial<SecretRequest>) => injector.inject(requestOf(fields), CONTEXT);

  it.each(serves)("serves %j, and its edits show no value", async (fields) => {
    const injection = await inject(fields);
    expect(injection.injected).toBe(true);
    expect(JSON.stringify(injection)).not.toContain(CANARY);
    expect(await inject(fields)).toEqual(injection);
  });

  it.each(refuses)("says: %s", async (reason, fields) => {
    const expected: Injection = { injected: false, reason };
    expect(await inject(fields)).toEqual(expected);
  });

  it("refuses a mount requirement that is none", async () => {
    const reason = "unrecognized mount requirement [7] for secret [k]";
    const request = { group: "g", groupVersion: "1", key: "k", mountRequirement: 7 };
    expect(await inject(request)).toEqual({ injected: false, reason });
  });
});

describe.each([
  createEmbeddedInjector({ lookup: broken }),
  createK8sInjector({ lookup: broken, copies: true }),
])("$name, with a store that is down", (injector) => {
  it("throws, so that no other manager is asked", async () => {
    await expect(injector.inject(requestOf({ key: "k" }), CONTEXT)).rejects.toThrow("the store is down");
  });
});

describe("Embedded", () => {
  it.each([
    "organization",
    "project",
    "domain",
  ])("needs the label %s, and names the first that is missing", async (label) => {
    const injector = createEmbeddedInjector({ lookup });
    const labels = { ...CONTEXT.labels, [label]: "" };
    expect(await injector.inject(requestOf({ key: "k" }), { ...CONTEXT, labels })).toEqual({
      injected: false,
      reason: `secret read requirements not met due to empty ${label} field in the pod labels`,
    });
    expect(await injector.inject(requestOf({ key: "k" }), { ...CONTEXT, labels: {} })).toMatchObject({
      reason: expect.stringContaining("empty organization field"),
    });
  });
});

describe("variable names", () => {
  const namesWith = async (injector: Injector, fields: Partial<SecretRequest>, prefix = "_UNION_") => {
    const context: InjectContext = { ...CONTEXT, variables: { prefix, style: "posix" } };
    const injection = await injector.inject(requestOf(fields), context);
    if (!injection.injected) throw new Error(injection.reason);
    return injection.edits.flatMap((edit) => (edit.kind === "secretVariable" ? [edit.name] : []));
  };

  it("are the raw one and, with posix naming, another where that has what a shell can't", async () => {
    const k8s = createK8sInjector({ lookup, copies: true });
    expect(await namesWith(k8s, { group: "my-db", key: "password", mountRequirement: ENV_VAR, envVar: "PW" })).toEqual([
      "_UNION_MY-DB_PASSWORD",
      "_UNION_MY_DB_PASSWORD",
      "PW",
    ]);
    expect(
      await namesWith(
        k8s,
        { group: "my-db-credentials", key: "password", mountRequirement: ENV_VAR },
        "FLYTE_SECRETS_",
      ),
    ).toContain("FLYTE_SECRETS_MY_DB_CREDENTIALS_PASSWORD");
    expect(await namesWith(createEmbeddedInjector({ lookup }), { key: "k" })).toEqual(["_UNION_K"]);
    expect(await namesWith(createEmbeddedInjector({ lookup }), { key: "k", envVar: "my-var" })).toEqual(["my-var"]);
    expect(await namesWith(global, { group: "g", key: "k" }, "a-b_")).toEqual(["A-B_G_K", "A_B_G_K"]);
  });
});

describe("a manager that reads nothing itself", () => {
  const URI = "https://v.vault.azure.net/secrets/Name";
  it.each<[Injector, Partial<SecretRequest>, string, string]>([
    [createAwsInjector(), { group: "arn:aws:x:Db:", key: ":Key" }, "arn:aws:x:Db:Key", "arn:aws:x:db:/:key"],
    [createGcpInjector(), { group: "S", groupVersion: "V" }, "S/versions/V", "s/v"],
    [createAzureInjector(), { group: `${URI}/` }, URI, "name"],
    [createAzureInjector(), { group: URI, groupVersion: "V" }, `${URI}/V`, "name/v"],
    [createVaultInjector(), { group: "secret/data/Db", key: "Key" }, "secret/data/Db Key", "secret/data/Db/Key"],
  ])("says what is read when the pod starts, and which file it becomes: $0.name", async (injector, fields, secret, path) => {
    expect(await injector.inject(requestOf(fields), CONTEXT)).toMatchObject({
      deferredRead: { secret, file: `/etc/flyte/secrets/${path}` },
    });
  });
});
