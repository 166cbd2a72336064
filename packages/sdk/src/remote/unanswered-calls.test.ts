import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Connection, resolveConnection } from "./connection.ts";
import { Secret } from "./secret.ts";
import { createSecretsClient, type SecretsClient } from "./secrets-client.ts";

const DOUBT = "The change may have been made or not: look before you repeat it.";
const OWN = "The server of this user (~/.flyte-secrets/server.sock)";
const STATUS = "See how it is: `flyte-secrets serve --status`.";

const hang = () => {};
const hangUp = (response: ServerResponse) => void response.destroy();
const breakOff = (response: ServerResponse) =>
  void response
    .writeHead(200, { "content-type": "application/proto", "content-length": 100 })
    .write("x", () => response.destroy());

type Treatment = (response: ServerResponse) => void;

/** A server that says what the cluster is (itself), and treats every other call so. */
async function listen(
  at: string | 0,
  treat: Treatment,
  select: Treatment = (response) => response.writeHead(404).end(),
) {
  const server = createServer(({ url }, response) => (url?.endsWith("/SelectCluster") ? select : treat)(response));
  await once(typeof at === "string" ? server.listen(at) : server.listen(at, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

/** A client of this user's own server. */
async function ownClient(treat: Treatment, select?: Treatment) {
  const home = mkdtempSync(join(tmpdir(), "own-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, ".flyte-secrets"), { mode: 0o700 });
  await listen(join(home, ".flyte-secrets/server.sock"), treat, select);
  return { home, client: connect(await resolveConnection({}, { variables: {}, home, cwd: home })) };
}

/** A client of a service elsewhere. */
async function otherClient(treat: Treatment, select?: Treatment) {
  const server = await listen(0, treat, select);
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const variables = {};
  const connection = await resolveConnection({ endpoint, insecure: true }, { variables, home: "/none", cwd: "/" });
  return { home: endpoint, client: connect(connection) };
}

function connect(connection: Connection): SecretsClient {
  const client = createSecretsClient(connection);
  onTestFinished(() => client.close());
  return client;
}

/** What reading and each way of writing are refused with; what is for the test alone stands as `~`. */
async function refusals({ client, home }: { client: SecretsClient; home: string }, timeoutMs?: number) {
  const reading = [() => Secret.get("k", { client, timeoutMs }), () => Secret.listall({ client, timeoutMs }).next()];
  const writing = [
    () => Secret.create({ client, name: "k", value: "v", timeoutMs }),
    () => Secret.update({ client, name: "k", value: "v", timeoutMs }),
    () => Secret.delete("k", { client, timeoutMs }),
  ];
  const refusal = async (call: () => Promise<unknown>) => {
    const error = await call().catch((reason: unknown) => reason);
    return error instanceof SecretsError ? `${error.code}: ${error.message.replaceAll(home, "~")}` : error;
  };
  const all = async (calls: readonly (() => Promise<unknown>)[]) => [...new Set(await Promise.all(calls.map(refusal)))];
  return { reading: await all(reading), writing: await all(writing) };
}

/** Once the client knows the cluster, however long that takes. */
async function settled<At extends { client: SecretsClient }>(at: At): Promise<At> {
  await at.client.call({}, async () => {});
  return at;
}

describe("a call whose time limit passes says whom it asked, and of a change that it may have been made", () => {
  test("with this user's own server", async () => {
    expect(await refusals(await settled(await ownClient(hang)), 50)).toEqual({
      reading: [`deadline_exceeded: ${OWN} gave no answer within 0.05 s. ${STATUS}`],
      writing: [`deadline_exceeded: ${OWN} gave no answer within 0.05 s. ${DOUBT} ${STATUS}`],
    });
  });

  test("with a service elsewhere", async () => {
    expect(await refusals(await settled(await otherClient(hang)), 50)).toEqual({
      reading: ["deadline_exceeded: ~ gave no answer within 0.05 s. See whether it runs."],
      writing: [`deadline_exceeded: ~ gave no answer within 0.05 s. ${DOUBT} See whether it runs.`],
    });
  });

  test("unless nothing that changes something was sent yet", async () => {
    const told = ["deadline_exceeded: ~ gave no answer within 0.05 s. See whether it runs."];
    expect(await refusals(await otherClient(hang, hang), 50)).toEqual({ reading: told, writing: told });
  });
});

describe("a server that ends under a call is told from one that speaks something else", () => {
  test.each([
    ["before its answer", hangUp],
    ["within its answer", breakOff],
  ])("%s", async (_, treat) => {
    const ended = "has ended, or has closed the connection, before it answered.";
    expect(await refusals(await ownClient(treat))).toEqual({
      reading: [`store_unavailable: ${OWN} ${ended} ${STATUS}`],
      writing: [`store_unavailable: ${OWN} ${ended} ${DOUBT} ${STATUS}`],
    });
    expect(await refusals(await otherClient(treat))).toEqual({
      reading: [`store_unavailable: ~ ${ended} See whether it runs.`],
      writing: [`store_unavailable: ~ ${ended} ${DOUBT} See whether it runs.`],
    });
  });

  test("at the first call", async () => {
    const own = [`store_unavailable: ${OWN} has ended, or has closed the connection, before it answered. ${STATUS}`];
    expect(await refusals(await ownClient(hangUp, hangUp))).toEqual({ reading: own, writing: own });
    const { reading } = await refusals(await otherClient(hangUp, hangUp));
    expect(reading).toEqual([expect.stringContaining("it gives no answer to plain HTTP. If it speaks TLS")]);
  });
});

test("a call that its caller ends is canceled, with no word of the server's end", async () => {
  const { client } = await ownClient(hang);
  const ended = new AbortController();
  const call = Secret.get("k", { client, signal: ended.signal });
  ended.abort();
  await expect(call).rejects.toMatchObject({ code: "canceled", message: expect.not.stringContaining("has ended") });
});
