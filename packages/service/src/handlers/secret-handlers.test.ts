import { type SecretId, SecretValue } from "@flyte-secrets/core";
import { describe, expect, test, vi } from "vitest";
import { send } from "../testing/send.ts";
import { startTestService, type TestService } from "../testing/start-test-service.ts";

const PROJECT = { name: "api-key", domain: "development", project: "my-project" };
const stored = (id: Partial<SecretId>): SecretId => ({ org: "flyte", domain: "", project: "", name: "api-key", ...id });
const text = (stringValue: string, type?: string) => ({ stringValue, ...(type && { type }) });
const dockerConfig = JSON.stringify({ auths: { "registry.example.com": { auth: "dTpw" } } });
const IMAGE_PULL = "SECRET_TYPE_IMAGE_PULL_SECRET";

/** One call in Connect JSON: the HTTP status and the answer. */
async function call({ url }: TestService, method: string, message: object, headers = {}): Promise<unknown> {
  const answer = await send(`${url}/flyteidl2.secret.SecretService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: [JSON.stringify(message)],
  });
  return [answer.status, JSON.parse(answer.body.toString())];
}

const invalid = (message: string) => [400, { code: "invalid_argument", message }];
const notFound = [404, { code: "not_found", message: "secret api-key not found" }];
const present = (createdTime: unknown, type?: string) => ({
  createdTime,
  secretStatus: {
    overallStatus: "FULLY_PRESENT",
    clusterStatus: [{ cluster: { name: "one" }, presenceStatus: "PRESENT" }],
  },
  ...(type && { type }),
});
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);

/** Ids that Flyte's service takes, or whoever writes Secrets by hand, and CreateSecret here doesn't. */
const LOOSE = [
  { name: "a.b" },
  { name: ".dot" },
  { name: "a__key__b" },
  { name: "k", domain: "Dev" },
  { name: "k", domain: "dev_x", project: "p.q" },
  { name: "a.b", domain: "-d-", project: "P" },
];

test.each([
  [{}, false],
  [{ "flyte-secrets-force": "true" }, true],
  [{ "flyte-secrets-force": "yes" }, false],
])("updates and deletes with the headers %j reach the store with force: %s", async (headers, force) => {
  const service = await startTestService();
  await service.store.create(stored(PROJECT), { value: SecretValue.fromText("one"), type: "generic" });
  const spies = [vi.spyOn(service.store, "update"), vi.spyOn(service.store, "delete")];
  expect(await call(service, "UpdateSecret", { id: PROJECT, secretSpec: text("two") }, headers)).toEqual([200, {}]);
  expect(await call(service, "DeleteSecret", { id: PROJECT }, headers)).toEqual([200, {}]);
  for (const { mock } of spies) expect(mock.calls.map((args: unknown[]) => args.at(-1))).toMatchObject([{ force }]);
});

test.each([
  [{}, undefined],
  [{ "flyte-secrets-consistency": "strong" }, true],
  [{ "flyte-secrets-consistency": "eventual" }, undefined],
])("reads with the headers %j reach the store with strong: %s", async (headers, strong) => {
  const service = await startTestService();
  await service.store.create(stored(PROJECT), { value: SecretValue.fromText("one"), type: "generic" });
  const spies = [vi.spyOn(service.store, "get"), vi.spyOn(service.store, "list")];
  expect(await call(service, "GetSecret", { id: PROJECT }, headers)).toMatchObject([200, {}]);
  expect(await call(service, "ListSecrets", {}, headers)).toMatchObject([200, {}]);
  for (const { mock } of spies) {
    expect(mock.calls.map((args: unknown[]) => (args.at(-1) as { strong?: boolean }).strong)).toEqual([strong]);
  }
});

test.each(["STRONG", "", "strong, strong", "yes"])("a consistency of %j is refused", async (value) => {
  const service = await startTestService();
  await service.store.create(stored(PROJECT), { value: SecretValue.fromText("one"), type: "generic" });
  const headers = { "flyte-secrets-consistency": value };
  const message = `header flyte-secrets-consistency: must be strong or eventual, not ${JSON.stringify(value)}`;
  for (const [method, body] of Object.entries({ GetSecret: { id: PROJECT }, ListSecrets: {} })) {
    expect(await call(service, method, body, headers)).toEqual(invalid(message));
  }
});

describe("a secret that was written by looser rules", () => {
  test.each(LOOSE)("is listed, read, changed and deleted: %j", async (id) => {
    const service = await startTestService();
    const record = { value: SecretValue.fromText("one"), type: "generic" } as const;
    await service.store.create(stored(id), record);
    const { domain = "", project = "" } = Object(id);
    for (const scope of [{}, { domain, project }]) {
      expect(await call(service, "ListSecrets", scope)).toMatchObject([200, { secrets: [{ id }] }]);
    }
    expect(await call(service, "GetSecret", { id })).toMatchObject([200, { secret: { id } }]);
    expect(await call(service, "UpdateSecret", { id, secretSpec: text("two") })).toEqual([200, {}]);
    expect((await service.store.read(stored(id)))?.revealText()).toBe("two");
    expect(await call(service, "DeleteSecret", { id })).toEqual([200, {}]);
    expect(await call(service, "GetSecret", { id })).toMatchObject([404, { code: "not_found" }]);
  });

  test.each(LOOSE.filter(({ name }) => name !== "a__key__b"))("is not created: %j", async (id) => {
    expect(await call(await startTestService(), "CreateSecret", { id, secretSpec: text("v") })).toMatchObject([
      400,
      { code: "invalid_argument" },
    ]);
  });

  test.each([
    { name: "a/b" },
    { name: "a b" },
    { name: "" },
    { name: "k", domain: "d/e" },
    { name: "k", domain: "d", project: "p q" },
    { name: "k", domain: "d__project__p__key__x" },
    { name: "k", domain: "d", project: "p__key__x" },
    { name: "k", domain: "d", project: "p_" },
    { name: "k", domain: "d", project: "_p__" },
    { name: "k", project: "p" },
  ])("isn't called %j, which nobody's encoded id says", async (id) => {
    const service = await startTestService();
    for (const method of ["GetSecret", "DeleteSecret", "UpdateSecret"] as const) {
      const answer = await call(service, method, { id, ...(method === "UpdateSecret" && { secretSpec: text("v") }) });
      expect(answer).toMatchObject([400, { code: "invalid_argument" }]);
    }
  });
});

describe("CreateSecret", () => {
  test.each([
    ["global", { name: "api-key" }, {}],
    ["domain", { name: "api-key", domain: "development" }, { domain: "development" }],
    ["project", PROJECT, { domain: "development", project: "my-project" }],
  ])("keeps a value at %s scope, in the default organization", async (_, id, at) => {
    const service = await startTestService();
    const message = { id: { ...id, organization: "other" }, secretSpec: text("s3cr3t") };
    expect(await call(service, "CreateSecret", message)).toEqual([200, {}]);
    expect((await service.store.read(stored(at)))?.revealText()).toBe("s3cr3t");
  });

  test("takes binary values, empty ones and fields it doesn't know", async () => {
    const service = await startTestService();
    const binary = { id: { name: "binary", colour: "red" }, secretSpec: { binaryValue: "AP8=" }, extra: [1] };
    expect(await call(service, "CreateSecret", binary)).toEqual([200, {}]);
    expect((await service.store.read(stored({ name: "binary" })))?.revealBytes()).toEqual(Uint8Array.of(0, 255));
    expect(await call(service, "CreateSecret", { id: { name: "empty" }, secretSpec: text("") })).toEqual([200, {}]);
    expect((await service.store.read(stored({ name: "empty" })))?.byteLength).toBe(0);
  });

  test("refuses an id that is taken", async () => {
    const service = await startTestService();
    const message = { id: PROJECT, secretSpec: text("one") };
    await call(service, "CreateSecret", message);
    expect(await call(service, "CreateSecret", { ...message, secretSpec: text("two") })).toEqual([
      409,
      { code: "already_exists", message: "secret api-key already exists" },
    ]);
    expect((await service.store.read(stored(PROJECT)))?.revealText()).toBe("one");
  });

  const VALUE_MISSING = "string or binary value expected, got <nil>";
  test.each([
    ["no id", { secretSpec: text("v") }, "id: value is required [required]"],
    [
      "no name",
      { id: {}, secretSpec: text("v") },
      "id.name: must be at least 1 characters [string.min_len]; " +
        "id.name: does not match regex pattern `^[-a-zA-Z0-9_]+$` [string.pattern]",
    ],
    [
      "a name out of rules",
      { id: { name: "a.b" }, secretSpec: text("v") },
      "id.name: does not match regex pattern `^[-a-zA-Z0-9_]+$` [string.pattern]",
    ],
    ["no spec", { id: PROJECT }, VALUE_MISSING],
    ["no value", { id: PROJECT, secretSpec: {} }, VALUE_MISSING],
    [
      "a project without a domain",
      { id: { name: "k", project: "p" }, secretSpec: text("v") },
      'project-scoped secrets must also specify a domain, got project="p" domain=""',
    ],
    [
      "a domain that could be taken for another",
      { id: { name: "k", domain: "d__project__p" }, secretSpec: text("v") },
      expect.stringMatching(/^domain: must be a DNS-1123 label/),
    ],
    [
      "an id too long for the store",
      { id: { name: "k".repeat(300) }, secretSpec: text("v") },
      expect.stringMatching(/^name: .* has 341 characters, this store takes at most 253/),
    ],
    [
      "an image pull secret with a domain",
      { id: { name: "k", domain: "development" }, secretSpec: text(dockerConfig, IMAGE_PULL) },
      "image pull secrets are organization-level: project and domain must not be set",
    ],
    [
      "a type that doesn't exist",
      { id: PROJECT, secretSpec: { ...text("v"), type: 7 } },
      "secret_spec.type: must be SECRET_TYPE_GENERIC or SECRET_TYPE_IMAGE_PULL_SECRET",
    ],
  ])("refuses %s and writes nothing", async (_, message, expected) => {
    const service = await startTestService();
    expect(await call(service, "CreateSecret", message)).toEqual(invalid(expected));
    expect(await call(service, "ListSecrets", {})).toEqual([200, {}]);
  });

  test.each([
    "",
    "text",
    "[]",
    "null",
    "{}",
    '{"auths":[]}',
    '{"auths":{"r":"x"}}',
  ])("refuses %j as the value of an image pull secret", async (value) => {
    const service = await startTestService();
    const message = { id: { name: "pull" }, secretSpec: text(value, IMAGE_PULL) };
    expect(await call(service, "CreateSecret", message)).toEqual(
      invalid('secret_spec.value: an image pull secret must be a .dockerconfigjson: {"auths": {"REGISTRY": {...}}}'),
    );
  });
});

describe("UpdateSecret", () => {
  test("replaces the value whole and keeps creation time and type", async () => {
    const service = await startTestService();
    await call(service, "CreateSecret", { id: { name: "api-key" }, secretSpec: text(dockerConfig, IMAGE_PULL) });
    const before = await call(service, "GetSecret", { id: { name: "api-key" } });
    const other = dockerConfig.replace("dTpw", "dTpx");
    expect(await call(service, "UpdateSecret", { id: { name: "api-key" }, secretSpec: text(other) })).toEqual([
      200,
      {},
    ]);
    expect((await service.store.read(stored({})))?.revealText()).toBe(other);
    expect(await call(service, "GetSecret", { id: { name: "api-key" } })).toEqual(before);
  });

  test.each([
    ["a value", { secretSpec: text("v") }],
    ["no value", {}],
    ["a value over the limit", { secretSpec: text("v".repeat(1024 * 1024 + 1)) }],
  ])("says not found before it looks at %s", async (_, spec) => {
    const service = await startTestService();
    expect(await call(service, "UpdateSecret", { id: PROJECT, ...spec })).toEqual(notFound);
  });

  test("refuses no value, a broken image pull secret, and another type", async () => {
    const service = await startTestService();
    const id = { name: "pull" };
    await call(service, "CreateSecret", { id, secretSpec: text(dockerConfig, IMAGE_PULL) });
    await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("v") });
    expect(await call(service, "UpdateSecret", { id: PROJECT })).toEqual(
      invalid("string or binary value expected, got <nil>"),
    );
    expect(await call(service, "UpdateSecret", { id, secretSpec: text("x") })).toEqual(
      invalid('secret_spec.value: an image pull secret must be a .dockerconfigjson: {"auths": {"REGISTRY": {...}}}'),
    );
    expect(await call(service, "UpdateSecret", { id: PROJECT, secretSpec: text(dockerConfig, IMAGE_PULL) })).toEqual(
      invalid("secret_spec.type: secret api-key is generic and stays so; delete it and create an image pull secret"),
    );
    expect((await service.store.read(stored(PROJECT)))?.revealText()).toBe("v");
  });
});

describe("GetSecret", () => {
  test("answers the id as requested, creation time, type and status, never the value", async () => {
    const service = await startTestService();
    await call(service, "CreateSecret", { id: { name: "pull" }, secretSpec: text(dockerConfig, IMAGE_PULL) });
    const id = { name: "pull", organization: "my-host" };
    expect(await call(service, "GetSecret", { id })).toEqual([
      200,
      { secret: { id, secretMetadata: present(TIME, IMAGE_PULL) } },
    ]);
  });

  test("says not found for another scope", async () => {
    const service = await startTestService();
    await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("v") });
    expect(await call(service, "GetSecret", { id: { name: "api-key" } })).toEqual(notFound);
  });
});

test("DeleteSecret removes a secret, once", async () => {
  const service = await startTestService();
  await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("v") });
  expect(await call(service, "DeleteSecret", { id: PROJECT })).toEqual([200, {}]);
  expect(await call(service, "GetSecret", { id: PROJECT })).toEqual(notFound);
  expect(await call(service, "DeleteSecret", { id: PROJECT })).toEqual(notFound);
});

describe("ListSecrets", () => {
  test("filters by scope, leaves out the organization and gives a token where there is more", async () => {
    const service = await startTestService();
    const ids = [{ name: "a" }, { name: "b", domain: "d" }, { name: "c", domain: "d", project: "p" }];
    for (const id of ids) await call(service, "CreateSecret", { id, secretSpec: text("v") });
    const entry = (id: object) => ({ id, secretMetadata: present(TIME) });
    expect(await call(service, "ListSecrets", { domain: "d", project: "p", organization: "local" })).toEqual([
      200,
      { secrets: [entry({ name: "c", domain: "d", project: "p" })] },
    ]);
    const seen: unknown[] = [];
    for (let token = ""; ; ) {
      const [, page] = (await call(service, "ListSecrets", { limit: 1, token })) as [
        number,
        { secrets: object[]; token?: string },
      ];
      expect(page.secrets).toHaveLength(1);
      seen.push(...page.secrets);
      if (page.token === undefined) break;
      token = page.token;
    }
    expect(seen).toHaveLength(3);
    expect(seen).toEqual(expect.arrayContaining(ids.map(entry)));
  });

  test("has pages of 500 when no limit is given", async () => {
    const service = await startTestService();
    for (let i = 0; i <= 500; i++) {
      await service.store.create(stored({ name: `s${i}` }), { value: SecretValue.fromText("v"), type: "generic" });
    }
    const [, page] = (await call(service, "ListSecrets", {})) as [number, { secrets: object[]; token: string }];
    expect(page.secrets).toHaveLength(500);
    const [, rest] = (await call(service, "ListSecrets", { token: page.token })) as [number, { secrets: object[] }];
    expect(rest.secrets).toHaveLength(1);
  });

  test.each([
    [0, 500],
    [1, 1],
    [10_000, 10_000],
    [10_001, 10_000],
    [2 ** 31 - 1, 10_000],
  ])("for a limit of %d asks the store for %d", async (limit, asked) => {
    const service = await startTestService();
    const list = vi.spyOn(service.store, "list");
    expect(await call(service, "ListSecrets", { limit })).toEqual([200, {}]);
    expect(list.mock.calls.map(([request]) => request.limit)).toEqual([asked]);
  });

  test.each([
    ["a negative limit", { limit: -1 }, "limit: must not be negative; 0 is a page of 500"],
    ["a damaged token", { token: "x" }, expect.stringMatching(/token/)],
    [
      "a project without a domain",
      { project: "p" },
      'project-scoped secrets must also specify a domain, got project="p" domain=""',
    ],
  ])("refuses %s", async (_, message, expected) => {
    const service = await startTestService();
    expect(await call(service, "ListSecrets", message)).toEqual(invalid(expected));
  });
});

test("system secrets are hidden unless asked for, and never updated", async () => {
  const service = await startTestService();
  await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("v") });
  await service.store.setSystem(stored(PROJECT), true);
  expect(await call(service, "GetSecret", { id: PROJECT })).toEqual(notFound);
  expect(await call(service, "DeleteSecret", { id: PROJECT })).toEqual(notFound);
  expect(await call(service, "ListSecrets", {})).toEqual([200, {}]);
  expect(await call(service, "UpdateSecret", { id: PROJECT, secretSpec: text("w") })).toEqual(notFound);
  expect(await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("w") })).toMatchObject([409, {}]);

  const includeSystemSecrets = true;
  expect(await call(service, "GetSecret", { id: PROJECT, includeSystemSecrets })).toMatchObject([200, {}]);
  expect(await call(service, "ListSecrets", { includeSystemSecrets })).toMatchObject([200, { secrets: [{}] }]);
  expect(await call(service, "DeleteSecret", { id: PROJECT, includeSystemSecrets })).toEqual([200, {}]);
});

test("each write is one line in the log at info, whether it succeeds or not", async () => {
  const service = await startTestService();
  await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("v") });
  await call(service, "CreateSecret", { id: PROJECT, secretSpec: text("v") });
  await call(service, "GetSecret", { id: PROJECT });
  await call(service, "DeleteSecret", { id: PROJECT });
  const secret = "u__org__flyte__domain__development__project__my-project__key__api-key";
  expect(
    service.log.filter(({ level }) => level === 30).map(({ action, secret, outcome }) => ({ action, secret, outcome })),
  ).toEqual([
    { action: "create", secret, outcome: "ok" },
    { action: "create", secret, outcome: "already_exists" },
    { action: "delete", secret, outcome: "ok" },
  ]);
});
