import { createHash } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import { describe, expect, test } from "vitest";
import { MountType, Secret, type SecretOptions, type SecretRequestOptions } from "./secret.ts";

const request = { group: "", groupVersion: "", key: "", mountRequirement: 0, envVar: "" };
const refusal = (make: () => unknown): unknown => {
  try {
    return make();
  } catch (error) {
    return error instanceof SecretsError ? [error.code, error.message] : error;
  }
};
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("Flyte 2's form", () => {
  test.each<[SecretOptions, string]>([
    [{ key: "my-api-key" }, "MY_API_KEY"],
    [{ group: "my-db", key: "pass-word" }, "MY_DB_PASS_WORD"],
    [{ key: "openai-key", asEnvVar: "OPENAI_API_KEY" }, "OPENAI_API_KEY"],
  ])("%j is wanted in the variable %s", (options, variable) => {
    const secret = new Secret(options);
    expect(secret.asEnvVar).toBe(variable);
    expect(secret.toRequest()).toEqual({
      ...request,
      group: options.group ?? "",
      key: options.key,
      mountRequirement: MountType.ENV_VAR,
      envVar: variable,
    });
  });

  test("with a mount the value is wanted as a file, and no variable is derived", () => {
    const secret = new Secret({ key: "db-config", mount: "/etc/flyte/secrets" });
    expect(secret.asEnvVar).toBeUndefined();
    expect(secret.toRequest()).toEqual({ ...request, key: "db-config", mountRequirement: MountType.FILE });
  });

  test("with a mount and a variable, the variable decides", () => {
    const secret = new Secret({ key: "k", mount: "/etc/flyte/secrets", asEnvVar: "K" });
    expect(secret.toRequest()).toEqual({ ...request, key: "k", mountRequirement: MountType.ENV_VAR, envVar: "K" });
  });

  test.each<[string, () => unknown, string]>([
    [
      "a variable in lower case",
      () => new Secret({ key: "k", asEnvVar: "lower" }),
      "Invalid environment variable name: lower, must match ^[A-Z_][A-Z0-9_]*$",
    ],
    [
      "a derived variable that is none",
      () => new Secret({ key: "1password" }).toRequest(),
      "Invalid environment variable name: 1PASSWORD, must match ^[A-Z_][A-Z0-9_]*$. It is derived from group and key: " +
        "name another with asEnvVar, or ask for a file with mount",
    ],
    [
      "another mount path",
      () => new Secret({ key: "k", mount: "/tmp" }),
      "Only /etc/flyte/secrets is supported as secret mount path today.",
    ],
    ["an empty key", () => new Secret({ key: "" }), "key is required: the name of the secret."],
    ["a group alone", () => new Secret({ group: "g" }).toRequest(), "key is required: the name of the secret."],
  ])("%s is refused", (_, make, message) => {
    expect(refusal(make)).toEqual(["invalid_argument", message]);
  });
});

describe("flytekit's form", () => {
  test.each<[SecretRequestOptions, Partial<typeof request>]>([
    [
      { group: "db", key: "p", mountRequirement: MountType.ENV_VAR },
      { group: "db", key: "p", mountRequirement: 1 },
    ],
    [
      { group: "db", key: "p", mountRequirement: Secret.MountType.FILE, envVar: "P" },
      { group: "db", key: "p", mountRequirement: 2, envVar: "P" },
    ],
    [
      { group: "projects/p/secrets/s", groupVersion: "1" },
      { group: "projects/p/secrets/s", groupVersion: "1" },
    ],
    [
      { key: "k", envVar: "K" },
      { key: "k", envVar: "K" },
    ],
    [{ key: "k", mountRequirement: Secret.MountRequirement.ANY }, { key: "k" }],
  ])("%j goes over the wire as it is, wherever it stands", (options, expected) => {
    expect(new Secret(options).toRequest()).toEqual({ ...request, ...expected });
    expect(new Secret(options).toExactRequest()).toEqual({ ...request, ...expected });
  });

  test.each<[SecretOptions, Partial<typeof request>]>([
    [
      { group: "arn:aws:secretsmanager:eu:1:secret:x", key: "1.k" },
      { group: "arn:aws:secretsmanager:eu:1:secret:x", key: "1.k" },
    ],
    [
      { key: "k", mount: "/etc/flyte/secrets" },
      { key: "k", mountRequirement: 2 },
    ],
    [
      { key: "k", asEnvVar: "K" },
      { key: "k", mountRequirement: 1, envVar: "K" },
    ],
  ])("%j in secretRequests derives nothing", (options, expected) => {
    expect(new Secret(options).toExactRequest()).toEqual({ ...request, ...expected });
  });

  test.each<[string, SecretRequestOptions, string]>([
    ["a missing group where one is required", { key: "k", requireGroup: true }, "Group is a required parameter"],
    [
      "a variable in lower case",
      { key: "k", envVar: "k" },
      "Invalid environment variable name: k, must match ^[A-Z_][A-Z0-9_]*$",
    ],
    ["neither group nor key", {}, "key is required: the name of the secret."],
    [
      "a mix of both forms",
      { key: "k", envVar: "K", asEnvVar: "K" } as SecretRequestOptions,
      "mount and asEnvVar do not go together with mountRequirement, groupVersion or envVar: use mountRequirement with envVar.",
    ],
  ])("%s is refused", (_, options, message) => {
    expect(refusal(() => new Secret(options))).toEqual(["invalid_argument", message]);
  });
});

// Computed by Flyte's own class (Python package flyte 2.12.1).
test.each<[SecretOptions, string]>([
  [{ key: "my-key" }, "8cbd680aec428c7ddc6729e8773055aa29c76e8249e4d6c80829f019b7f69a60"],
  [
    { key: "k", group: "g", mount: "/etc/flyte/secrets" },
    "561c8dbfe91ce04e7d57d1e9523bfc039e5bdb65de4404c670e019f29207c063",
  ],
  [{ key: "a-b", group: "c-d" }, "ab3c996ce2f4d9eec60f68770ad9340bdf522a5ce592e6c7068f74080ee62865"],
])("the stable hash of %j is Flyte's", (options, hash) => {
  expect(new Secret(options).stableHash()).toBe(hash);
});

test("the stable hash of a request without key leaves that part empty", () => {
  expect(new Secret({ group: "g", mountRequirement: MountType.ANY }).stableHash()).toBe(sha256("|g||"));
});
