// Whoever reaches the webhook's ports fills its memory and its connections; meanwhile an API server is answered every
// time, within the memory that the chart gives. Letters are those of the attack report.
import { once } from "node:events";
import { connect } from "node:tls";
import { podReview, taskPod } from "@flyte-secrets/webhook/testing";
import { describe, expect, test } from "vitest";
import { type AttackedWebhook, openSocket, openSockets, reviewHead, startAttackedWebhook } from "./attacked-webhook.ts";
import { CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

const MIB = 1024 * 1024;
const REVIEW = JSON.stringify(podReview(taskPod([])));

/** Attacks, and expects that the good client was answered every time and the memory is within the chart's. */
async function expectUnharmed(webhook: AttackedWebhook, attack: () => Promise<void>): Promise<void> {
  const report = await underAttack(webhook, attack);
  expect(report).toMatchObject({ failures: [] });
  expect(report.answered).toBeGreaterThanOrEqual(2);
  expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);
}

async function statusOf(answer: Promise<string> | undefined): Promise<string> {
  return /^HTTP\/1\.1 (\d+)/.exec((await answer) ?? "")?.[1] ?? "";
}

describe("bodies", () => {
  test.each([60, 150])("H10: %i of 8 MiB at once, none of which comes to its end", async (count) => {
    const webhook = await startAttackedWebhook();
    const body = Buffer.alloc(8 * MIB - 1, " ");
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(count, { port: webhook.port });
      await Promise.all(
        sockets.map(({ send }) => send(reviewHead(`content-length: ${8 * MIB}`)).then(() => send(body))),
      );
    });
  });

  test("H10: 40 that are whole reviews of 8 MiB, again and again", async () => {
    const webhook = await startAttackedWebhook();
    const padded = REVIEW.replace("{", `{"padding":"${"x".repeat(8 * MIB - REVIEW.length - 20)}",`);
    const request = reviewHead(`content-length: ${padded.length}`) + padded;
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(40, { port: webhook.port });
      await Promise.all(sockets.map(({ send }) => send(request)));
    });
  });

  test("in pieces of a byte each, which take up no more than large ones", async () => {
    const webhook = await startAttackedWebhook();
    const pieces = "1\r\nx\r\n".repeat(32 * 1024);
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(8, { port: webhook.port });
      await Promise.all(
        sockets.map(async ({ send }) => {
          await send(reviewHead("transfer-encoding: chunked"));
          for (let round = 0; round < 4; round++) await send(pieces);
        }),
      );
    });
  });

  test("that never end, on the ports that take small ones or none", async () => {
    const webhook = await startAttackedWebhook();
    const chunk = `100000\r\n${"x".repeat(MIB)}\r\n`;
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(20, { port: webhook.probes, plain: "plain" });
      await Promise.all(
        sockets.map(async ({ send }) => {
          await send("POST /readyz HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
          for (let round = 0; round < 10; round++) await send(chunk);
        }),
      );
    });
    expect((await fetch(`http://127.0.0.1:${webhook.probes}/healthz`)).status).toBe(200);
  });
});

describe("connections", () => {
  test("H10: 4,300 without a TLS handshake, and each that is closed is opened again", async () => {
    const webhook = await startAttackedWebhook();
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(4_300, { port: webhook.port, plain: "plain", atOnce: 100 });
      const closed = sockets.filter(({ socket }) => socket.destroyed);
      await openSockets(closed.length, { port: webhook.port, plain: "plain" });
    });
  });

  // A handshake costs the attacker more than us here, so that these have less to fill.
  const limits = { "webhook.limits.connections": "200" };
  test.each([
    ["that send nothing", ""],
    ["that speak HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["with half a head", "POST /mutate--v1-pod HTTP/1.1\r\nhost: x\r\nx-slow: "],
    ["with half a body", `${reviewHead("content-length: 1000")}{`],
    ["that were answered once", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"],
  ])("H10: more than there may be %s", async (_, sent) => {
    const webhook = await startAttackedWebhook(limits);
    await expectUnharmed(webhook, async () => {
      for (const { send } of await openSockets(260, { port: webhook.port })) await send(sent);
    });
  });

  test("more of them to the probes than there may be: the kubelet is answered all the same", async () => {
    const webhook = await startAttackedWebhook();
    const ask = async () => {
      const { status } = await fetch(`http://127.0.0.1:${webhook.probes}/healthz`, {
        headers: { connection: "close" },
      });
      if (status !== 200) throw new Error(`${status}`);
    };
    await expectUnharmed({ ...webhook, ask }, async () => {
      for (const { send } of await openSockets(600, { port: webhook.probes, plain: "plain" }))
        await send("GET /healthz HT");
    });
  });

  test("of one address are no more than its limit, where one is set, which others don't notice", async () => {
    const webhook = await startAttackedWebhook({ ...limits, "webhook.limits.connectionsPerAddress": "20" });
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(60, { port: webhook.port, localAddress: "127.0.0.2" });
      await expect
        .poll(() => sockets.filter(({ socket }) => !socket.destroyed).length, { timeout: 20_000 })
        .toBeLessThanOrEqual(20);
    });
  });
});

describe("requests", () => {
  const GARBAGE = [
    ["no HTTP", "\0\x01\x02 garbage\r\n\r\n", "400"],
    ["two lengths", reviewHead("content-length: 2", "content-length: 3"), "400"],
    ["a length and chunks", reviewHead("content-length: 2", "transfer-encoding: chunked"), "400"],
    ["a negative length", reviewHead("content-length: -1"), "400"],
    ["a chunk of no size", `${reviewHead("transfer-encoding: chunked")}zz\r\n`, "400"],
    ["a head of 64 KiB", reviewHead(`x-long: ${"x".repeat(64 * 1024)}`), "431"],
    ["a head of 3,000 lines", reviewHead(...Array.from({ length: 3_000 }, (_, at) => `x${at}: y`)), "431"],
    ["CONNECT", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: x\r\n\r\n", ""],
    [
      "an expectation that nobody knows",
      reviewHead("expect: miracles", "content-length: 2", "connection: close"),
      "417",
    ],
    ["an upgrade", "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: h2c\r\n\r\n", "404"],
    [
      "a body before it is asked for",
      `${reviewHead("expect: 100-continue", "content-length: 2", "connection: close")}{}`,
      "100",
    ],
    [
      "a body that is asked for in vain",
      "POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n",
      "404",
    ],
  ] as const;

  test("that are none are refused, one by one, and harm no other", async () => {
    const webhook = await startAttackedWebhook();
    await expectUnharmed(webhook, async () => {
      const answers: [string, string][] = [];
      for (const [what, sent] of GARBAGE) {
        const socket = await openSocket({ port: webhook.port });
        void socket?.send(sent);
        answers.push([what, await statusOf(socket?.answer)]);
      }
      expect(answers).toEqual(GARBAGE.map(([what, , status]) => [what, status]));
    });
  });

  test("C1: with a timeout that takes for ever to read", async () => {
    const webhook = await startAttackedWebhook();
    const timeout = `${"11h".repeat(40)}x`;
    await expectUnharmed(webhook, async () => {
      for (const path of [
        `/?timeout=${timeout}`,
        `/mutate--v1-pod?timeout=${timeout}`,
        `/mutate--v1-pod?${"timeout=1h&".repeat(1_000)}`,
      ]) {
        for (const method of ["GET", "POST"]) {
          const socket = await openSocket({ port: webhook.port });
          const head = [`${method} ${path} HTTP/1.1`, "host: x", "content-type: application/json"];
          void socket?.send([...head, "content-length: 2", "connection: close", "", "{}"].join("\r\n"));
          expect(await statusOf(socket?.answer)).toMatch(/^4/);
        }
      }
    });
  });

  test("5,000 at once on each of four connections", async () => {
    const webhook = await startAttackedWebhook();
    const requests = `${reviewHead(`content-length: ${REVIEW.length}`)}${REVIEW}`.repeat(1_000);
    await expectUnharmed(webhook, async () => {
      const sockets = await openSockets(4, { port: webhook.port });
      await Promise.all(
        sockets.map(async ({ send }) => {
          for (let round = 0; round < 5; round++) await send(requests);
        }),
      );
    });
  });

  test("2,000 on each of ten connections, whose answers nobody reads", async () => {
    const webhook = await startAttackedWebhook();
    const requests = `${reviewHead(`content-length: ${REVIEW.length}`)}${REVIEW}`.repeat(1_000);
    await expectUnharmed(webhook, async () => {
      for (const { socket } of await openSockets(10, { port: webhook.port })) {
        socket.pause();
        for (let round = 0; round < 2; round++) socket.write(requests);
      }
    });
  });

  test("that begin the TLS handshake anew, over and over", async () => {
    const webhook = await startAttackedWebhook();
    await expectUnharmed(webhook, async () => {
      const socket = connect({
        port: webhook.port,
        host: "127.0.0.1",
        rejectUnauthorized: false,
        maxVersion: "TLSv1.2",
      });
      socket.on("error", () => {}).resume();
      await once(socket, "secureConnect");
      const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      const again = (): unknown => socket.renegotiate({ rejectUnauthorized: false }, (error) => error || again());
      again();
      await closed;
    });
  });
});
