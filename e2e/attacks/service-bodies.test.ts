// Bodies that take more of the service than their senders spend. Letters are those of the attack report; rows with +
// are neighbours.
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { gzipSync } from "node:zlib";
import type { ServeProcess } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  type AttackRequest,
  attackedService,
  holdConnection,
  sendHttp1,
  sendHttp2,
  startAttackedService,
} from "./attacked-service.ts";
import { CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

const OPEN = "/flyteidl2.auth.AuthMetadataService/GetPublicClientConfig";
const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";
const SIX_MB = 6_200_000;

/** Six megabytes that become objects when they are kept or parsed, though no message has them. */
const BOMBS: Readonly<Record<string, readonly [type: "proto" | "json", bytes: Buffer]>> = {
  "unknown varints": ["proto", Buffer.alloc(SIX_MB, Buffer.from([0x78, 0x01]))],
  "unknown empty strings (+)": ["proto", Buffer.alloc(SIX_MB, Buffer.from([0x7a, 0x00]))],
  "groups within groups (+)": ["proto", Buffer.alloc(SIX_MB, 0x7b)],
  "arrays within arrays": ["json", Buffer.alloc(SIX_MB, "[")],
  "objects beside each other (+)": ["json", Buffer.from(`{"x":[${"{},".repeat(SIX_MB / 3)}{}]}`)],
  "members of one object (+)": [
    "json",
    Buffer.from(`{${Array.from({ length: 500_000 }, (_, i) => `"${i}":0`).join()}}`),
  ],
};

type Spelt = Readonly<Record<"connect" | "grpc" | "grpcWeb", AttackRequest>>;

/** The same body as each protocol compresses it. */
function spell(path: string, type: "proto" | "json", bytes: Buffer): Spelt {
  const zipped = gzipSync(bytes);
  const head = Buffer.from([1, 0, 0, 0, 0]);
  head.writeUInt32BE(zipped.byteLength, 1);
  const body = Buffer.concat([head, zipped]);
  const grpc = { "grpc-encoding": "gzip", te: "trailers" };
  return {
    connect: { path, body: zipped, headers: { "content-type": `application/${type}`, "content-encoding": "gzip" } },
    grpc: { path, body, headers: { ...grpc, "content-type": `application/grpc+${type}` } },
    grpcWeb: { path, body, headers: { ...grpc, "content-type": `application/grpc-web+${type}` } },
  };
}

let serve: ServeProcess;

for (const auth of ["token", "none"] as const) {
  describe(`a service with --auth ${auth}`, () => {
    beforeAll(async () => {
      serve = await startAttackedService(["--auth", auth]);
    });
    afterAll(() => serve?.close());

    /** Attacks, and expects that nobody else noticed it. */
    async function survive(attack: () => Promise<void>): Promise<void> {
      const { failures, peakMib } = await underAttack(attackedService(serve), attack);
      expect(failures).toEqual([]);
      expect(peakMib).toBeLessThan(CHART_LIMIT_MIB);
    }

    // Where no credentials are asked for, everything is open: refused is then what is wrong with a message.
    const { path, rounds, refused } =
      auth === "token"
        ? { path: OPEN, rounds: 4, refused: ["resource_exhausted", "8"] }
        : { path: CREATE, rounds: 1, refused: ["invalid_argument", "3"] };

    test.each(Object.entries(BOMBS))("C4: %s, gzipped, in every protocol", async (_, [type, bytes]) => {
      await survive(async () => {
        const { connect, grpc, grpcWeb } = spell(path, type, bytes);
        const several = Array.from({ length: rounds });
        const overHttp1 = several.flatMap(() => [connect, grpcWeb]).map((bomb) => sendHttp1(serve.endpoint, bomb));
        const overHttp2 = sendHttp2(
          serve.endpoint,
          several.flatMap(() => [connect, grpc, grpcWeb]),
        );
        const answers = [...(await Promise.all(overHttp1)), ...(await overHttp2)];
        expect(answers.filter(({ code }) => !refused.includes(code))).toEqual([]);
      });
    });

    test("C4: a hundred connections that hold 6 MB each", async () => {
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${SIX_MB + 1}\r\n\r\n`;
      const bytes = Buffer.concat([Buffer.from(head), Buffer.alloc(SIX_MB, " ")]);
      await survive(async () => {
        for (let held = 0; held < 100; held += 10) {
          await Promise.all(Array.from({ length: 10 }, () => holdConnection(serve.port, bytes)));
        }
      });
    });

    test("C4: 128 streams of one connection that hold 3 MB each", async () => {
      await survive(async () => {
        for (const target of [path, "/healthz", "/none"]) {
          const session = connectHttp2(serve.endpoint, { maxSessionMemory: 2_000 });
          onTestFinished(() => session.destroy());
          session.on("error", () => {});
          const body = Buffer.alloc(SIX_MB / 2, " ");
          const streams = Array.from({ length: 128 }, () => {
            const headers = { ":path": target, ":method": "POST", "content-type": "application/json" };
            const stream = session.request(headers);
            stream.on("error", () => {});
            // What was refused needn't be sent to its end.
            stream.once("response", () => stream.close());
            stream.write(body);
            return stream.resume();
          });
          // A few wait for their turn, or for the rest of their body; each of the others is answered or reset.
          const ended = streams.map((stream) => Promise.race([once(stream, "response"), once(stream, "close")]));
          await Promise.all(target === CREATE ? ended.slice(0, 100) : ended);
        }
      });
    });

    test("+ a body without an end", async () => {
      await survive(async () => {
        for (const target of [path, "/healthz", "/readyz", "/metrics", "/none"]) {
          const head = `POST ${target} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`;
          const socket = await holdConnection(serve.port, head);
          const chunk = Buffer.concat([Buffer.from("10000\r\n"), Buffer.alloc(65_536, " "), Buffer.from("\r\n")]);
          for (let sent = 0; sent < 400 && !socket.destroyed; sent += 1) {
            await new Promise<void>((resolve) => socket.write(chunk, () => resolve()));
          }
        }
      });
    });

    test.each<[string, Record<string, string>, Uint8Array]>([
      ["a gRPC message of 4 GiB", { "content-type": "application/grpc-web" }, Buffer.from([0, 255, 255, 255, 255, 1])],
      [
        "a gzip of many members",
        { "content-type": "application/json", "content-encoding": "gzip" },
        Buffer.concat(Array.from({ length: 150 }, () => gzipSync(Buffer.alloc(100_000, "[")))),
      ],
      [
        "gzip within gzip",
        { "content-type": "application/json", "content-encoding": "gzip, gzip" },
        gzipSync(gzipSync(Buffer.alloc(SIX_MB, "["))),
      ],
    ])("+ %s", async (_, headers, body) => {
      await survive(async () => {
        const { code } = await sendHttp1(serve.endpoint, { path, headers, body });
        expect(code).toMatch(/^(8|resource_exhausted|invalid_argument|unimplemented)$/);
      });
    });

    test("+ a length that nobody has", async () => {
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 999999999999999\r\n\r\n`;
      await survive(async () => {
        const [answer] = await once(await holdConnection(serve.port, head), "data");
        expect(String(answer)).toMatch(/^HTTP\/1\.1 429 /);
      });
    });

    test("+ readiness asked for 2,000 times", async () => {
      await survive(async () => {
        for (let round = 0; round < 20; round += 1) {
          const ready = { path: "/readyz", method: "GET" };
          const answers = await sendHttp2(
            serve.endpoint,
            Array.from({ length: 100 }, () => ready),
          );
          expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
        }
      });
    });
  });
}

test("C4: credentials are looked at before a body is asked for, unzipped or read, in every protocol", async () => {
  serve = await startAttackedService();
  onTestFinished(async () => void (await serve.close()));
  const { failures, peakMib } = await underAttack(attackedService(serve), async () => {
    for (const path of [CREATE, "/secrets/api/v1"]) {
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n`;
      const [answer] = await once(await holdConnection(serve.port, head), "data");
      expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    }
    for (const [type, bytes] of Object.values(BOMBS)) {
      const { connect, grpc, grpcWeb } = spell(CREATE, type, bytes);
      const answers = await sendHttp2(serve.endpoint, [connect, grpc, grpcWeb]);
      expect(answers.map(({ code }) => code)).toEqual(["unauthenticated", "16", "16"]);
      expect(await sendHttp1(serve.endpoint, connect)).toEqual({ status: 401, code: "unauthenticated" });
    }
  });
  expect(failures).toEqual([]);
  expect(peakMib).toBeLessThan(CHART_LIMIT_MIB);
});
