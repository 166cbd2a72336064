import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runService } from "@flyte-secrets/cli/testing";
import { loadConfig } from "@flyte-secrets/config";
import { SecretsError, SecretValue } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { type ConnectionOptions, resolveConnection } from "./connection.ts";
import { Secret } from "./secret.ts";
import type { SecretType } from "./secret-input.ts";
import { createSecretsClient, type SecretsClient } from "./secrets-client.ts";

interface TestService {
  readonly endpoint: string;
  readonly token: string;
  /** A client that finds the service as a user's program does: in the data directory. */
  connect(options?: ConnectionOptions): Promise<SecretsClient>;
}

/** The real server with a token, on a port and data directory of its own, until the test is over. */
async function startService(): Promise<TestService> {
  const home = await mkdtemp(join(tmpdir(), "flyte-secrets-remote-"));
  const flags = { "secret.store.type": "Embedded", "secret.server.port": "0", "logger.mute": "true" };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home, cwd: home });
  const server = await runService(config, { log: createLogger(config.logger) });
  onTestFinished(async () => {
    await server.close();
    await rm(home, { recursive: true });
  });
  return {
    endpoint: server.endpoint,
    token: (await readFile(join(home, ".flyte-secrets/token"), "utf8")).trim(),
    connect: async (options) => connectIn(home, options),
  };
}

async function connectIn(home: string, options?: ConnectionOptions): Promise<SecretsClient> {
  const client = createSecretsClient(await resolveConnection(options, { variables: {}, home, cwd: home }));
  onTestFinished(() => client.close());
  return client;
}

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no refusal",
    (error: unknown) => (error instanceof SecretsError ? [error.code, error.message] : error),
  );

async function namesOf(secrets: AsyncIterable<Secret>): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of secrets) names.push(name);
  return names;
}

const development = { project: "my-project", domain: "development" };
const dockerConfig = JSON.stringify({ auths: { "registry.example": { auth: "dXNlcjpwdw==" } } });

describe("over a real service", () => {
  test("a secret is created, read without its value, updated, listed and deleted", async () => {
    const { connect } = await startService();
    const client = await connect(development);
    const before = Date.now();
    await Secret.create({ name: "api-key", value: "first", client });

    const secret = await Secret.get("api-key", { client });
    expect(secret).toBeInstanceOf(Secret);
    expect({
      name: secret.name,
      project: secret.project,
      domain: secret.domain,
      type: secret.type,
      status: secret.status,
      clusterStatus: secret.clusterStatus,
    }).toEqual({
      ...development,
      name: "api-key",
      type: "regular",
      status: "FULLY_PRESENT",
      clusterStatus: [{ cluster: "flyte-devbox", status: "PRESENT" }],
    });
    expect(secret.createdTime?.getTime()).toBeGreaterThanOrEqual(before - 1);
    expectTypeOf(secret.type).toEqualTypeOf<SecretType>();

    await Secret.update({ name: "api-key", value: Uint8Array.of(0, 255), client });
    expect((await Secret.get("api-key", { client })).createdTime).toEqual(secret.createdTime);
    await Secret.create({ name: "other", value: SecretValue.fromText("text"), client });
    expect(await namesOf(Secret.listall({ client }))).toEqual(["api-key", "other"]);

    await Secret.delete("api-key", { client });
    expect(await refusal(Secret.get("api-key", { client }))).toEqual(["not_found", "secret api-key not found"]);
  });

  test("JSON is protobuf's, as Flyte's clients print it", async () => {
    const client = await (await startService()).connect(development);
    await Secret.create({ name: "k", value: "", client });
    expect(JSON.parse(JSON.stringify(await Secret.get("k", { client })))).toEqual({
      id: { name: "k", ...development },
      secretMetadata: {
        createdTime: expect.stringMatching(/^2.*Z$/),
        secretStatus: {
          overallStatus: "FULLY_PRESENT",
          clusterStatus: [{ cluster: { name: "flyte-devbox" }, presenceStatus: "PRESENT" }],
        },
      },
    });
  });

  test("listing goes over all pages and stops early when the reader does", async () => {
    const client = await (await startService()).connect();
    const names = Array.from({ length: 7 }, (_, index) => `s${index}`);
    for (const name of names) await Secret.create({ name, value: "v", client });
    expect(await namesOf(Secret.listall({ limit: 3, client }))).toEqual(names);
    for await (const { name } of Secret.listall({ limit: 2, client })) {
      if (name === "s2") break;
    }
  });

  test("an image-pull secret has a type of its own", async () => {
    const client = await (await startService()).connect();
    await Secret.create({ name: "pull", value: dockerConfig, type: "image_pull", client });
    expect((await Secret.get("pull", { client })).type).toBe("image_pull");
  });

  test.each<[string, (client: SecretsClient) => Promise<unknown>, unknown]>([
    [
      "a second create",
      (client) => Secret.create({ name: "taken", value: "v", client }),
      ["already_exists", expect.stringContaining("taken")],
    ],
    [
      "an update of what isn't there",
      (client) => Secret.update({ name: "no", value: "v", client }),
      ["not_found", "secret no not found"],
    ],
    ["a delete of what isn't there", (client) => Secret.delete("no", { client }), ["not_found", "secret no not found"]],
    [
      "a name out of rules",
      (client) => Secret.create({ name: "a b", value: "v", client }),
      ["invalid_argument", expect.stringContaining("name")],
    ],
    [
      "a broken image-pull value",
      (client) => Secret.create({ name: "p", value: "v", type: "image_pull", client }),
      ["invalid_argument", expect.stringContaining("dockerconfigjson")],
    ],
    [
      "a negative limit",
      (client) => namesOf(Secret.listall({ limit: -1, client })),
      ["invalid_argument", expect.stringContaining("limit")],
    ],
  ])("%s is refused in the server's words", async (_, call, expected) => {
    const client = await (await startService()).connect();
    await Secret.create({ name: "taken", value: "v", client });
    expect(await refusal(call(client))).toEqual(expected);
  });

  test("a wrong token is unauthenticated, a right one may come from a function", async () => {
    const { connect, endpoint, token } = await startService();
    const wrong = await connect({ endpoint, token: "wrong" });
    expect(await refusal(Secret.get("k", { client: wrong }))).toEqual(["unauthenticated", expect.any(String)]);
    const client = await connect({ endpoint, token: async () => token });
    expect(await refusal(Secret.get("k", { client }))).toEqual(["not_found", "secret k not found"]);
  });

  test("a call ends when its signal says so", async () => {
    const client = await (await startService()).connect();
    expect(await refusal(Secret.get("k", { client, signal: AbortSignal.abort() }))).toEqual([
      "canceled",
      expect.any(String),
    ]);
  });
});

describe("what is refused before anything is sent", () => {
  const unreachable = { endpoint: "http://127.0.0.1:1", ...development };
  const connect = () => connectIn(tmpdir(), unreachable);

  test("a cluster pool beside project and domain, in Flyte's words", async () => {
    const client = await connect();
    const options = { clusterPool: "gpu", client };
    const message = (doing: string) =>
      `Project \`my-project\` or domain \`development\` should not be set when ${doing} a secret scoped to cluster pool \`gpu\`.`;
    expect(await refusal(Secret.create({ name: "k", value: "v", ...options }))).toEqual([
      "invalid_argument",
      message("creating"),
    ]);
    expect(await refusal(Secret.update({ name: "k", value: "v", ...options }))).toEqual([
      "invalid_argument",
      message("updating"),
    ]);
    expect(await refusal(Secret.get("k", options))).toEqual(["invalid_argument", message("getting")]);
    expect(await refusal(Secret.listall(options).next())).toEqual(["invalid_argument", message("listing")]);
    expect(await refusal(Secret.delete("k", options))).toEqual(["invalid_argument", message("deleting")]);
  });

  test("an image-pull secret of a project, in Flyte's words", async () => {
    const client = await connect();
    expect(await refusal(Secret.create({ name: "k", value: dockerConfig, type: "image_pull", client }))).toEqual([
      "invalid_argument",
      "Project `my-project` or domain `development` should not be set when creating the image pull secret.",
    ]);
  });

  test("a server that isn't there is named", async () => {
    const client = await connect();
    expect(await refusal(Secret.get("k", { client }))).toEqual([
      "store_unavailable",
      "http://127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1. Check the address and that the server runs.",
    ]);
  });
});
