// Connections that somebody without credentials opens and leaves. Letters are those of the attack report; rows with +
// are neighbours.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createCertificate, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../kubernetes/cluster.ts";
import { attackedService, holdConnection, startAttackedService } from "./attacked-service.ts";
import { CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

/** More than a listener holds, 4,096, and far more than it holds of one address. */
const SOCKETS = 4_300;
const OPEN = "/flyteidl2.auth.AuthMetadataService/GetPublicClientConfig";

const HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const post = (path: string) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`;

/** Sends this on a connection of its own, and waits until the server ends it. */
async function untilEnded(port: number, bytes: string | Uint8Array): Promise<void> {
  const socket = await holdConnection(port, bytes);
  if (!socket.destroyed) await new Promise((resolve) => socket.once("close", resolve));
}

/** HEADERS of a gRPC call without its body (RFC 7541: literals without indexing), and RST_STREAM. */
function resetCall(stream: number): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": OPEN,
    "content-type": "application/grpc",
    te: "trailers",
  };
  const block = Object.entries(fields).flatMap(([name, value]) => [
    0,
    name.length,
    ...Buffer.from(name),
    value.length,
    ...Buffer.from(value),
  ]);
  const frame = (type: number, flags: number, payload: readonly number[]) => [
    0,
    0,
    payload.length,
    type,
    flags,
    0,
    0,
    stream >> 8,
    stream & 255,
    ...payload,
  ];
  return Buffer.from([...frame(1, 4, block), ...frame(3, 0, [0, 0, 0, 8])]);
}

/** Opens that many, a hundred at a time, and keeps them. */
async function holdMany(port: number, bytes: string | Uint8Array): Promise<void> {
  for (let held = 0; held < SOCKETS; held += 100) {
    await Promise.all(Array.from({ length: 100 }, () => holdConnection(port, bytes)));
  }
}

describe.each(["http", "https"])("a service over %s", (scheme) => {
  let directory: string;
  let tls: string[];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "flyte-secrets-attacked-"));
    const { cert, key } = await createCertificate();
    const [certFile, keyFile] = [join(directory, "tls.crt"), join(directory, "tls.key")];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    tls = ["--secret.server.tls.certFile", certFile, "--secret.server.tls.keyFile", keyFile];
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** Attacks a service of its own, and expects that the good client is answered every time. */
  async function survive(attack: (port: number) => Promise<void>): Promise<void> {
    const serve = await startAttackedService(scheme === "https" ? tls : []);
    onTestFinished(async () => void (await serve.close()));
    const { failures, peakMib, answered } = await underAttack(attackedService(serve), () => attack(serve.port));
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(2);
    expect(peakMib).toBeLessThan(CHART_LIMIT_MIB);
  }

  const kinds: [string, string | Uint8Array][] =
    scheme === "https"
      ? [
          ["H10: that send nothing", ""],
          ["H10: that begin a TLS handshake", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00])],
          ["+ that speak HTTP where TLS is expected", "GET / HTTP/1.1\r\n\r\n"],
        ]
      : [
          ["H10: that send nothing", ""],
          ["H10: that send the HTTP/2 preface", Buffer.concat([Buffer.from(HTTP2_PREFACE), EMPTY_SETTINGS])],
          ["+ that send a part of the HTTP/2 preface", "PRI"],
          ["+ that don't end their headers", "GET / HTTP/1.1\r\nhost: localhost\r\n"],
          ["+ that ask once and stay", "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"],
          ["+ that don't end the body of an open call", post(OPEN)],
          ["+ that don't end the body of a call that was refused", post("/secrets/api/v1")],
        ];

  test.each(kinds)("%s, 4,300 of them", async (_, bytes) => {
    await survive((port) => holdMany(port, bytes));
  });

  const rpc = (path: string) =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;

  // The reader of requests that connect-node has ended the process at the ninth.
  test.runIf(scheme === "http")("+ that send requests ahead and go away at any time", async () => {
    await survive(async (port) => {
      for (const path of [OPEN, "/flyteidl2.secret.SecretService/ListSecrets", "/secrets/api/v1"]) {
        for (let turn = 0; turn < 100; turn += 1) {
          const socket = await holdConnection(port, rpc(path).repeat(turn % 2 ? 10 : 30));
          await delay(turn % 25);
          socket.destroy();
        }
      }
    });
  });

  test.runIf(scheme === "http")("+ that send thousands of requests ahead", async () => {
    await survive(async (port) => {
      const flood = () => untilEnded(port, rpc(OPEN).repeat(2_000));
      for (let turn = 0; turn < 20; turn += 1) await Promise.all(Array.from({ length: 8 }, flood));
    });
  });

  // Kept everybody waiting for seconds, with 700 MiB.
  test.runIf(scheme === "http")("+ that reset thousands of HTTP/2 requests at once", async () => {
    await survive(async (port) => {
      const resets = Array.from({ length: 5_000 }, (_, at) => resetCall(2 * at + 1));
      const bytes = Buffer.concat([Buffer.from(HTTP2_PREFACE), EMPTY_SETTINGS, ...resets]);
      const flood = () => untilEnded(port, bytes);
      for (let turn = 0; turn < 20; turn += 1) await Promise.all(Array.from({ length: 8 }, flood));
    });
  });

  test("H10: that come back as soon as they are ended", async () => {
    await survive(async (port) => {
      let opened = 0;
      const finished = Promise.withResolvers<void>();
      const open = () => {
        opened += 1;
        if (opened === SOCKETS) finished.resolve();
        if (opened > SOCKETS) return;
        const socket = connect(port, "127.0.0.1");
        onTestFinished(() => void socket.destroy());
        socket.on("error", () => {});
        socket.resume().once("close", open);
      };
      // A few more than are held of one address, so that there are always some to come back.
      for (let i = 0; i < 1_100; i += 1) open();
      await finished.promise;
    });
  });
});

test("H10: probes on a port of their own are answered while the main port is full of calls that don't end", async () => {
  const probes = await freePort();
  const limits = { connections: "20", connectionsPerAddress: "0" };
  const serve = await startServe({
    args: [
      `--secret.server.probeBindAddress=127.0.0.1:${probes}`,
      ...Object.entries(limits).map(([name, value]) => `--secret.server.limits.${name}=${value}`),
    ],
  });
  onTestFinished(async () => void (await serve.close()));
  const live = () =>
    new Promise<number | undefined>((resolve, reject) => {
      get(`http://127.0.0.1:${probes}/healthz`, { agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      }).once("error", reject);
    });
  for (let i = 0; i < 200; i += 1) {
    await holdConnection(serve.port, post(OPEN));
    expect(await live()).toBe(200);
  }
});
