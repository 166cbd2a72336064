import { once } from "node:events";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runService } from "@flyte-secrets/cli/testing";
import { loadConfig } from "@flyte-secrets/config";
import { SecretsError } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Connection, type ConnectionOptions, resolveConnection } from "./connection.ts";
import { Secret } from "./secret.ts";
import { createSecretsClient } from "./secrets-client.ts";

let home: string;
let data: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "own-"));
  data = join(home, ".flyte-secrets");
  mkdirSync(data, { mode: 0o700 });
  return () => rmSync(home, { recursive: true });
});

/** The real server on a data directory, until the test is over. */
async function serve(store: string, flags: Record<string, string> = {}) {
  const settings = { "secret.server.port": "0", "secret.store.path": store, "logger.mute": "true", ...flags };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags: settings, home, cwd: home });
  const server = await runService(config, { log: createLogger(config.logger) });
  onTestFinished(() => server.close());
  return server;
}

const resolveHere = (options?: ConnectionOptions, variables = {}): Promise<Connection> =>
  resolveConnection(options, { variables, home, cwd: home });

const refusal = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "no refusal",
    (error: unknown) => (error instanceof SecretsError ? [error.code, error.message.replaceAll(home, "~")] : error),
  );

/** Somebody else's program on a port, or on a socket's path: what it was sent, and what it answers. */
async function listenAsAnother(at: { path: string } | { port: number; host: string }, answer = "") {
  let sent = "";
  const server: Server = createServer((socket) => {
    socket
      .on("error", () => {})
      .on("data", (chunk) => {
        sent += chunk;
        socket.write(answer);
      });
  });
  await once(server.listen(at), "listening");
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, sent: () => sent };
}

const NONE = [
  "no_service",
  "No service is known. Start one on this machine with `flyte-secrets serve`, or name one: the endpoint of init(), " +
    "FLYTE_ENDPOINT, or admin.endpoint in .flyte/config.yaml.",
];

describe("the server of this user", () => {
  test("is called with the token that is given for its address, which may be wrong", async () => {
    const { endpoint } = await serve(data);
    const variables = { FLYTE_ENDPOINT: endpoint, FLYTE_SECRETS_TOKEN: "another" };
    const { ownServerRoute, auth } = await resolveHere({}, variables);
    expect([ownServerRoute, auth]).toEqual([undefined, { kind: "token", token: "another" }]);
    // A token alone names no service.
    expect(await resolveHere({}, { FLYTE_SECRETS_TOKEN: "another" })).toMatchObject({
      ownServerRoute: { kind: "socket" },
    });
  });

  test("is reached by its socket, without a token, also when its address is named", async () => {
    const { endpoint } = await serve(data);
    const found = {
      endpoint,
      org: "",
      project: "",
      domain: "",
      auth: { kind: "none" },
      tls: { rejectUnauthorized: true },
      timeoutMs: 30_000,
      ownServerRoute: { kind: "socket", directory: data },
    };
    expect(await resolveHere()).toEqual(found);
    expect(await resolveHere({ endpoint })).toEqual(found);
    expect(await resolveHere({ endpoint: "http://127.0.0.1:1" })).toEqual({
      ...found,
      endpoint: "http://127.0.0.1:1",
      ownServerRoute: undefined,
    });
  });

  test.each(["~/elsewhere", "elsewhere"])("may keep its data in %s, beside another that goes on", async (path) => {
    await serve(data);
    await serve(join(home, "elsewhere"));
    const { ownServerRoute } = await resolveHere({}, { SECRET_STORE_PATH: path });
    expect(ownServerRoute).toEqual({ kind: "socket", directory: join(home, "elsewhere") });
    expect((await resolveHere()).ownServerRoute).toEqual({ kind: "socket", directory: data });
  });

  test.each<[string, Record<string, string>]>([
    ["its socket", {}],
    ["its socket, when its port asks for nothing", { "secret.auth.mode": "none" }],
    ["its port, once it has proved itself", { "secret.store.path": "long" }],
    [
      "its port without a token, once it has proved itself",
      { "secret.store.path": "long", "secret.auth.mode": "none" },
    ],
  ])("serves calls one after the other by %s, and a client outlives a restart", async (_, flags) => {
    const long = flags["secret.store.path"] !== undefined;
    const store = long ? join(home, "d".repeat(100)) : data;
    const settings = { ...flags, "secret.store.path": store };
    const server = await serve(store, settings);
    const connection = await resolveHere({}, { SECRET_STORE_PATH: store });
    expect([connection.ownServerRoute?.kind, connection.auth.kind]).toEqual(
      long ? ["proof", flags["secret.auth.mode"] ?? "token"] : ["socket", "none"],
    );
    await using client = createSecretsClient(connection);
    await Secret.create({ client, name: "a", value: "1" });
    expect((await Secret.get("a", { client })).name).toBe("a");
    await server.close();
    if (long) return;
    await serve(store, settings);
    expect((await Secret.get("a", { client })).name).toBe("a");
  });

  test("that ends under a client's hands is named in the error", async () => {
    const server = await serve(data);
    await using client = createSecretsClient(await resolveHere());
    await server.close();
    expect(await refusal(Secret.get("a", { client }))).toEqual([
      "store_unavailable",
      "The server of this user (~/.flyte-secrets/server.sock) is not running any more. Start it with `flyte-secrets serve`.",
    ]);
  });
});

describe("what a killed server has left", () => {
  test("is no server, and whoever has its port and process number now is not asked", async () => {
    const other = await listenAsAnother({ host: "127.0.0.1", port: 0 });
    const endpoint = `http://127.0.0.1:${other.port}`;
    writeFileSync(join(data, "server.json"), JSON.stringify({ endpoint, pid: process.ppid }), { mode: 0o600 });
    writeFileSync(join(data, "token"), "the-token\n", { mode: 0o600 });
    expect(await refusal(resolveHere())).toEqual(NONE);
    await leaveSocket();
    expect(await refusal(resolveHere())).toEqual(NONE);
    // Named, it is an address like any other: no token of this user's goes there.
    expect((await resolveHere({ endpoint })).auth).toEqual({ kind: "none" });
    expect(other.sent()).toBe("");
  });

  /** The file of a socket that nobody listens on. */
  async function leaveSocket(): Promise<void> {
    const server = createServer().listen(join(data, "server.sock"));
    await once(server, "listening");
    renameSync(join(data, "server.sock"), join(data, "kept"));
    server.close();
    renameSync(join(data, "kept"), join(data, "server.sock"));
  }

  test("where a proof is asked for is told from the server: only the question is sent", async () => {
    const wrong = `HTTP/1.1 200 OK\r\ncontent-length: 64\r\n\r\n${"0".repeat(64)}`;
    for (const answer of [wrong, "HTTP/1.1 404 Not Found\r\n\r\n", "x".repeat(10_000)]) {
      const other = await listenAsAnother({ host: "127.0.0.1", port: 0 }, answer);
      const endpoint = `http://127.0.0.1:${other.port}`;
      const announced = { endpoint, pid: 1, proofKey: "key" };
      writeFileSync(join(data, "server.json"), JSON.stringify(announced), { mode: 0o600 });
      const told = [
        "call_refused",
        `${endpoint} is not the server that this user started: it gave no proof, and nothing was sent to it. ` +
          "Another program has its port; start the server again with `flyte-secrets serve`.",
      ];
      expect(await refusal(resolveHere())).toEqual(told);
      expect(await refusal(resolveHere({ endpoint }))).toEqual(told);
      const question = "GET /server-proof\\?nonce=[0-9a-f]{64} HTTP/1\\.1\r\nhost: localhost\r\n\r\n";
      expect(other.sent()).toMatch(new RegExp(`^(${question}){2}$`));
    }
  });
});

describe("a data directory or socket of somebody else's", () => {
  test("that others may write is refused, unless another service is named", async () => {
    const other = await listenAsAnother({ path: join(data, "server.sock") });
    for (const mode of [0o770, 0o722, 0o702]) {
      chmodSync(data, mode);
      expect(await refusal(resolveHere())).toEqual([
        "unsafe_permissions",
        "~/.flyte-secrets, where the server of this user would be, can be written by other users " +
          `(mode 0${mode.toString(8)}). Run: chmod 700 ~/.flyte-secrets.`,
      ]);
      expect((await resolveHere({ endpoint: "e.example" })).endpoint).toBe("https://e.example");
    }
    chmodSync(data, 0o700);
    chmodSync(join(data, "server.sock"), 0o777);
    expect(await refusal(resolveHere())).toMatchObject({ 0: "unsafe_permissions" });
    expect(other.sent()).toBe("");
  });

  test("that is a link to a socket elsewhere is not followed", async () => {
    const elsewhere = join(home, "elsewhere.sock");
    const other = await listenAsAnother({ path: elsewhere });
    symlinkSync(elsewhere, join(data, "server.sock"));
    expect(await refusal(resolveHere())).toEqual(NONE);
    expect(other.sent()).toBe("");
  });

  test("that is a file is no server", async () => {
    writeFileSync(join(data, "server.sock"), "");
    expect(await refusal(resolveHere())).toEqual(NONE);
    rmSync(data, { recursive: true });
    writeFileSync(data, "");
    expect(await refusal(resolveHere())).toEqual(NONE);
    expect(readFileSync(data, "utf8")).toBe("");
  });
});
