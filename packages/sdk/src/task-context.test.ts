import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { secretPlaces } from "./find-secret.ts";
import { createTaskContext, currentContext, type TaskContext } from "./task-context.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "flyte-secrets-sdk-"));
});
afterEach(() => rm(root, { recursive: true }));

/** A context over files below the temporary directory (`secrets/...`, `vault/...`) and exactly these variables. */
async function given(
  files: Record<string, string | Uint8Array>,
  variables: Record<string, string> = {},
  local = false,
): Promise<TaskContext> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return createTaskContext({
    variables: { FLYTE_SECRETS_DEFAULT_DIR: join(root, "secrets"), ...variables },
    local,
    vaultDirectory: join(root, "vault"),
  });
}

const refusal = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return error instanceof SecretsError ? [error.code, error.message.replaceAll(root, "<root>")] : error;
  }
};

describe("a secret in a variable", () => {
  test.each<[string, Record<string, string>, [string | undefined, string | undefined, string?]]>([
    ["as flytekit names it", { "_FSEC_DB-CREDS_PASSWORD": "v" }, ["db-creds", "password"]],
    ["as posix naming has it", { _FSEC_DB_CREDS_PASSWORD: "v" }, ["db-creds", "password"]],
    ["with the version", { _FSEC_DB_V2_PASSWORD: "v" }, ["db", "password", "v2"]],
    ["without the version", { _FSEC_DB_PASSWORD: "v" }, ["db", "password", "v2"]],
    ["as Embedded writes it, without group", { "_FSEC_MY-KEY": "v" }, ["any", "my-key"]],
    ["of a request without group", { _FSEC_K: "v" }, [undefined, "k"]],
    ["of a request without key", { _FSEC_G: "v" }, ["g", undefined]],
    [
      "as K8s writes it for a request without group",
      { [`_FSEC_${createHash("md5").update("k").digest("hex").toUpperCase()}_K`]: "v" },
      [undefined, "k"],
    ],
    [
      "behind the prefix that the pod sets",
      { FLYTE_SECRETS_ENV_PREFIX: "_UNION_", _UNION_G_K: "v", _FSEC_G_K: "other" },
      ["g", "k"],
    ],
    ["behind the default prefix when the pod's is empty", { FLYTE_SECRETS_ENV_PREFIX: "", _FSEC_G_K: "v" }, ["g", "k"]],
  ])("is found %s", async (_, variables, [group, key, groupVersion]) => {
    const context = await given({}, variables);
    expect(context.getSecret(group, key, { groupVersion })).toBe("v");
  });

  test("without a prefix counts in local execution only, after the one with it", async () => {
    expect((await given({}, { G_K: "v" }, true)).getSecret("g", "k")).toBe("v");
    expect((await given({}, { G_K: "v", _FSEC_K: "first" }, true)).getSecret("g", "k")).toBe("first");
    expect(refusal((await given({}, { G_K: "v" })).getSecret.bind(null, "g", "k"))).toContain("secret_not_readable");
  });

  test("wins over a file, also when it is empty", async () => {
    expect((await given({ "secrets/g/k": "file" }, { _FSEC_G_K: "" })).getSecret("g", "k")).toBe("");
  });
});

describe("a secret in a file", () => {
  test.each<[string, string, [string | undefined, string | undefined, string?], string?]>([
    ["of its group", "secrets/my-group/my.key", ["My-Group", "my.KEY"]],
    ["as given", "secrets/My-Group/my.KEY", ["My-Group", "my.KEY"]],
    ["with the version", "secrets/g/v1/k", ["g", "k", "V1"]],
    ["without the version", "secrets/g/k", ["g", "k", "v1"]],
    ["of GCP: group and version", "secrets/projects/p/secrets/s/3", ["projects/p/secrets/s", "k", "3"]],
    [
      "of Azure: last segment of the URI and version",
      "secrets/s/3",
      ["https://v.vault.azure.net/secrets/S/", undefined, "3"],
    ],
    ["of Azure without version", "secrets/s", ["https://v.vault.azure.net/secrets/s", undefined]],
    ["of a group that is a URI", "secrets/https:/v/s/k", ["https://v/s/", "k"]],
    ["of Embedded, without group", "secrets/My_Key", ["any", "My_Key"]],
    ["of Vault's agent", "vault/g", ["G", "k"]],
    ["behind the file prefix", "secrets/g/p-k", ["g", "k"], "p-"],
  ])("is found %s", async (_, path, [group, key, groupVersion], filePrefix = "") => {
    const context = await given({ [path]: "v" }, { FLYTE_SECRETS_FILE_PREFIX: filePrefix });
    expect(context.getSecret(group, key, { groupVersion })).toBe("v");
  });

  test("is never taken from a file that is another secret's", async () => {
    const context = await given({ "secrets/g": "the secret with key g" });
    expect(refusal(() => context.getSecret("g", "k"))).toContain("secret_not_readable");
  });

  test("that is there and cannot be read is an error, not a miss", async () => {
    const context = await given({ "secrets/g/k": "v" });
    await symlink("loop", join(root, "secrets/g/loop"));
    expect(refusal(() => context.getSecret("g", "loop"))).toEqual([
      "secret_not_readable",
      "<root>/secrets/g/loop is there but cannot be read (ELOOP): check its mode and owner.",
    ]);
  });
});

test("text is trimmed, bytes are as stored", async () => {
  const { getSecret } = await given({ "secrets/g/k": "\n v \n" }, { _FSEC_G_E: " v " });
  expect(getSecret("g", "k")).toBe("v");
  expect(Buffer.from(getSecret("g", "k", { encoding: "bytes" })).toString()).toBe("\n v \n");
  expect(Buffer.from(getSecret("g", "e", { encoding: "bytes" })).toString()).toBe(" v ");
  expectTypeOf(getSecret("g", "k")).toBeString();
  expectTypeOf(getSecret("g", "k", { encoding: "utf8" })).toBeString();
  expectTypeOf(getSecret("g", "k", { encoding: "bytes" })).toEqualTypeOf<Uint8Array>();
});

test("bytes that are no text are refused as text, without showing them", async () => {
  const { getSecret } = await given({ "secrets/g/k": Uint8Array.of(0x41, 0xff) });
  expect(refusal(() => getSecret("g", "k"))).toEqual([
    "invalid_argument",
    'The secret with group "g" and key "k" is not UTF-8 text: read it with { encoding: "bytes" }.',
  ]);
  expect(getSecret("g", "k", { encoding: "bytes" })).toEqual(Buffer.of(0x41, 0xff));
});

test("secrets reads the same by property and by get", async () => {
  const { secrets } = await given({}, { _FSEC_G_K: "v", _FSEC_GET_THEN: "odd" });
  expect(secrets.g?.k).toBe("v");
  expect(secrets.get("g", "k")).toBe("v");
  expect(secrets.get("get", "then")).toBe("odd");
  expect(refusal(() => secrets.g?.other)).toContain("secret_not_readable");
  expect(await secrets).toBe(secrets);
  expect(JSON.stringify([secrets, secrets.g])).toBe("[{},{}]");
});

test("places are looked at in one order: variables first, each file as given and then in lower case", () => {
  const options = { variables: { FLYTE_SECRETS_ENV_PREFIX: "_U_" }, local: true, vaultDirectory: "/vault/secrets" };
  expect(secretPlaces({ group: "My-G", groupVersion: "V1", key: "K" }, options)).toEqual({
    variables: [
      ...["_U_MY-G_V1_K", "_U_MY_G_V1_K", "_U_MY-G_K", "_U_MY_G_K", "_U_K"],
      ...["MY-G_V1_K", "MY_G_V1_K", "MY-G_K", "MY_G_K", "K"],
    ],
    files: [
      ...["/etc/secrets/My-G/V1/K", "/etc/secrets/my-g/v1/k"],
      ...["/etc/secrets/My-G/K", "/etc/secrets/my-g/k"],
      ...["/etc/secrets/My-G/V1", "/etc/secrets/my-g/v1"],
      ...["/etc/secrets/K", "/etc/secrets/k"],
      ...["/vault/secrets/My-G", "/vault/secrets/my-g"],
    ],
  });
});

test("of files that differ by case alone, each is found under its own name", async () => {
  const { getSecret } = await given({ "secrets/token": "lower", "secrets/TOKEN": "UPPER", "secrets/other": "o" });
  expect([getSecret(undefined, "token"), getSecret(undefined, "TOKEN")]).toEqual(["lower", "UPPER"]);
  expect(getSecret(undefined, "OTHER")).toBe("o");
});

test("a secret that was not given names the request to add and every place", async () => {
  const { getSecret } = await given({}, { FLYTE_SECRETS_ENV_PREFIX: "_UNION_" });
  expect(refusal(() => getSecret("my-db", "password"))).toEqual([
    "secret_not_readable",
    'This task was not given the secret with group: "my-db", key: "password". Add secretRequests: [new Secret({ group: "my-db", ' +
      'key: "password" })] to the task or to a workflow that calls it. Looked at the variables _UNION_MY-DB_PASSWORD, ' +
      "_UNION_MY_DB_PASSWORD, _UNION_PASSWORD and the files <root>/secrets/my-db/password, <root>/secrets/password, " +
      "<root>/vault/my-db.",
  ]);
});

test.each([
  ["../../etc", "passwd", '"../../etc" has a ".." segment: a secret\'s path never leaves its directory.'],
  [undefined, "..", '".." has a ".." segment: a secret\'s path never leaves its directory.'],
  [undefined, undefined, "getSecret needs a group, a key or a groupVersion."],
  ["", "", "getSecret needs a group, a key or a groupVersion."],
])("group %j with key %j is refused", async (group, key, message) => {
  const { getSecret } = await given({});
  expect(refusal(() => getSecret(group, key))).toEqual(["invalid_argument", message]);
});

test("the current context reads this process's own environment", () => {
  const name =
    Object.keys(process.env).find((variable) => /^[A-Z]+$/.test(variable) && process.env[variable]) ?? "PATH";
  expect(currentContext().getSecret(undefined, name.toLowerCase())).toBe(process.env[name]?.trim());
});
