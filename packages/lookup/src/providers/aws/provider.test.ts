import { encodeSecretId, encodeShortSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import { describeSecretFetcher } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { createProviderFetcher } from "../secret-provider.ts";
import { type FakeAnswer, type OwnFault, startFakeBackend } from "../testing/fake-backend.ts";
import { openAws } from "./provider.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };

interface Stored {
  readonly SecretString?: string;
  readonly SecretBinary?: string;
}

const error = (status: number, type: string): FakeAnswer => ({ status, json: { __type: type, Message: "no" } });
const FAULTS: Readonly<Record<Exclude<OwnFault, "lying">, string>> = {
  forbidden: "AccessDeniedException",
  throttled: "ThrottlingException",
};

/** Secrets Manager's wire (https://docs.aws.amazon.com/secretsmanager/latest/apireference/). */
async function start() {
  const secrets = new Map<string, Stored>();
  const denied = { batch: false, names: new Set<string>() };
  let truncated = Number.POSITIVE_INFINITY;
  const backend = await startFakeBackend(({ headers, body }, fault) => {
    const request: { SecretId?: string; SecretIdList?: string[] } = JSON.parse(body);
    const one = (name: string) => {
      if (fault === "lying") return { Name: "another", SecretString: "canary-value-of-the-contract" };
      if (denied.names.has(name)) return "AccessDeniedException";
      const stored = secrets.get(name);
      return stored
        ? { Name: name, ARN: `arn:${name}`, VersionStages: ["AWSCURRENT"], ...stored }
        : "ResourceNotFoundException";
    };
    if (fault === "forbidden" || fault === "throttled") return error(400, FAULTS[fault]);
    if (headers["x-amz-target"] === "secretsmanager.GetSecretValue") {
      const found = one(request.SecretId ?? "");
      return typeof found === "string" ? error(400, found) : { status: 200, json: found };
    }
    if (denied.batch) return error(400, "AccessDeniedException");
    const found = (request.SecretIdList ?? []).slice(0, truncated).map((name) => [name, one(name)] as const);
    const SecretValues = found.flatMap(([, entry]) => (typeof entry === "string" ? [] : [entry]));
    const Errors = found.flatMap(([SecretId, entry]) =>
      typeof entry === "string" ? [{ SecretId, ErrorCode: entry }] : [],
    );
    return { status: 200, json: { SecretValues, Errors } };
  });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const config = { region: "us-east-1", endpoint: backend.url };
  const fetcher = createProviderFetcher(await openAws(config, { credentials, maxAttempts: 1 }));
  const store = (name: string, value: SecretValue) => {
    const SecretString = value.revealText();
    secrets.set(name, SecretString === undefined ? { SecretBinary: value.revealBase64() } : { SecretString });
  };
  return {
    ...backend,
    fetcher,
    secrets,
    denied,
    truncate: (length: number) => {
      truncated = length;
    },
    put: async (id: SecretId, value: SecretValue) => store(encodeSecretId(id), value),
    putShort: async (id: SecretId, value: SecretValue) => store(encodeShortSecretId(id) ?? "", value),
    putEmpty: async (id: SecretId) => void secrets.set(encodeSecretId(id), {}),
  };
}

async function started() {
  const aws = await start();
  onTestFinished(() => aws.close());
  return aws;
}

describeSecretFetcher("AWS", start);

const keys = (count: number) => Array.from({ length: count }, (_, n) => ({ ...id, name: `key-${n}` }));
const actions = (requests: readonly { headers: Record<string, unknown> }[]) =>
  requests.map(({ headers }) => String(headers["x-amz-target"]).replace("secretsmanager.", ""));

test("twenty names go into a call", async () => {
  const { fetcher, requests, put } = await started();
  const ids = keys(41);
  for (const key of ids) await put(key, SecretValue.fromText("v"));
  expect((await fetcher.fetch(ids)).size).toBe(41);
  expect(requests.map(({ body }) => JSON.parse(body).SecretIdList?.length ?? 1).toSorted((a, b) => a - b)).toEqual([
    1, 20, 20,
  ]);
});

test("where the batch call is not allowed each secret is read by itself, and the batch not tried again", async () => {
  const { fetcher, requests, put, denied } = await started();
  denied.batch = true;
  const ids = keys(3);
  for (const key of ids) await put(key, SecretValue.fromText(key.name));
  const fetched = await fetcher.fetch(ids);
  expect(ids.map((one) => fetched.get(one))).toEqual(ids.map(({ name }) => SecretValue.fromText(name)));
  await fetcher.fetch(ids);
  expect(actions(requests)).toEqual(["BatchGetSecretValue", ...Array(6).fill("GetSecretValue")]);
});

test("a name that a batch does not mention is not taken for absent", async () => {
  const { fetcher, put, truncate } = await started();
  const ids = keys(3);
  for (const key of ids) await put(key, SecretValue.fromText(key.name));
  truncate(1);
  const fetched = await fetcher.fetch(ids);
  expect(ids.map((one) => fetched.get(one))).toEqual(ids.map(({ name }) => SecretValue.fromText(name)));
});

test("a secret that may not be read has an error with the missing permission, and does not affect the others", async () => {
  const { fetcher, put, denied } = await started();
  const [first = id, second = id] = keys(2);
  await put(first, SecretValue.fromText("v"));
  denied.names.add(encodeSecretId(second));
  const fetched = await fetcher.fetch([first, second]);
  expect(fetched.get(first)).toEqual(SecretValue.fromText("v"));
  expect(fetched.get(second)).toMatchObject({
    code: "credentials_refused",
    message: `secret ${encodeSecretId(second)} failed to be read from secret manager AWS: AccessDeniedException; allow the webhook secretsmanager:GetSecretValue on it`,
  });
});

test.each([
  ["InvalidRequestException", "value_unreadable"],
  ["InvalidParameterException", "value_unreadable"],
  ["ValidationException", "value_unreadable"],
  ["DecryptionFailure", "credentials_refused"],
  ["ExpiredTokenException", "credentials_refused"],
  ["InternalServiceError", "store_unavailable"],
])("%s is %s", async (type, code) => {
  const backend = await startFakeBackend(() => error(400, type));
  onTestFinished(() => backend.close());
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const fetcher = createProviderFetcher(
    await openAws({ region: "us-east-1", endpoint: backend.url }, { credentials, maxAttempts: 1 }),
  );
  expect((await fetcher.fetch([id])).get(id)).toMatchObject({ code });
});

const ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret";

/** AWS, with one secret that it finds by `name`, its ARN, or that without its six random characters. */
async function openWithArn(name: string, arn = `${ARN}:${name}-AbC1xY`) {
  const known = [name, arn, arn.slice(0, -7)];
  const entry = { Name: name, ARN: arn, SecretString: "v" };
  const backend = await startFakeBackend(({ headers, body }) => {
    const { SecretId, SecretIdList }: { SecretId?: string; SecretIdList?: string[] } = JSON.parse(body);
    if (headers["x-amz-target"] === "secretsmanager.GetSecretValue") {
      return known.includes(SecretId ?? "") ? { status: 200, json: entry } : error(400, "ResourceNotFoundException");
    }
    const SecretValues = SecretIdList?.some((one) => known.includes(one)) ? [entry] : [];
    const missing = SecretIdList?.filter((one) => !known.includes(one)) ?? [];
    return {
      status: 200,
      json: { SecretValues, Errors: missing.map((SecretId) => ({ SecretId, ErrorCode: "ResourceNotFoundException" })) },
    };
  });
  onTestFinished(() => backend.close());
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  return {
    ...backend,
    aws: await openAws({ region: "us-east-1", endpoint: backend.url }, { credentials, maxAttempts: 1 }),
  };
}

test.each([
  "my-db",
  "my-db-abcdef",
  "team/my-db",
  "a_b+c=d.e@f",
])("the secret %s is read by its name, its ARN, and its ARN as far as the name, alone or with others", async (name) => {
  const { aws, requests } = await openWithArn(name);
  const { signal } = new AbortController();
  const value = SecretValue.fromText("v");
  for (const asked of [name, `${ARN}:${name}-AbC1xY`, `${ARN}:${name}`]) {
    expect(await aws.read([asked], { signal })).toEqual(new Map([[asked, value]]));
    expect(await aws.read([asked, "other"], { signal })).toEqual(new Map([[asked, value]]));
  }
  const all = [`${ARN}:${name}`, name];
  requests.length = 0;
  expect(await aws.read(all, { signal })).toEqual(new Map(all.map((asked) => [asked, value])));
  expect(actions(requests)).toEqual(["BatchGetSecretValue"]);
});

test.each([
  ["my", `${ARN}:my-db-AbC1xY`],
  [`${ARN}:my`, `${ARN}:my-db-AbC1xY`],
  [`${ARN}:my-db`, `${ARN}:my-db-other-AbC1xY`],
  [`${ARN}:my-d`, `${ARN}:my-db-AbC1xY`],
  [`${ARN}:my-db-`, `${ARN}:my-db-AbC1xY`],
  [ARN, `${ARN}:my-db-AbC1xY`],
])("an answer to %s with the secret %s is another's", async (asked, arn) => {
  const backend = await startFakeBackend(() => ({ status: 200, json: { Name: "x", ARN: arn, SecretString: "v" } }));
  onTestFinished(() => backend.close());
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const aws = await openAws({ region: "us-east-1", endpoint: backend.url }, { credentials, maxAttempts: 1 });
  const read = await aws.read([asked], { signal: new AbortController().signal });
  expect(read.get(asked)).toMatchObject({ message: expect.stringContaining("the response is for another secret") });
});

test("messages name all names that are read, in order", async () => {
  const { fetcher } = await started();
  expect(fetcher.nameOf?.(id)).toBe("u__org__flyte__domain__development__project__shop__key__api-key");
  expect(fetcher.nameOf?.({ ...id, project: "" })).toBe(
    "u__org__flyte__domain__development__project____key__api-key or u__org__flyte__domain__development__key__api-key",
  );
});
