import { once } from "node:events";
import { Agent } from "node:https";
import { connect as connectPlain } from "node:net";
import { text } from "node:stream/consumers";
import { connect, type TLSSocket } from "node:tls";
import { SecretsError } from "@flyte-secrets/core";
import type { Mutator } from "@flyte-secrets/inject";
import { createCertificate } from "@flyte-secrets/testkit";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { podReview, taskPod } from "../testing/pod-review.ts";
import { review, send, type Target } from "../testing/post-review.ts";
import { serveForTest, type TestWebhook } from "../testing/serve-for-test.ts";
import { startLoad } from "../testing/steady-load.ts";

const SOON_MS = 10_000;

async function probe(webhook: TestWebhook, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${webhook.probes}${path}`);
  return `${response.status} ${await response.text()}`;
}

const isReady = (webhook: TestWebhook) =>
  probe(webhook, "/readyz").then(
    (answer) => answer.startsWith("200"),
    () => false,
  );

describe("the probes", () => {
  it("say that the process lives, and whether pods may be sent here", async () => {
    const webhook = await serveForTest();
    expect(await probe(webhook, "/healthz")).toBe("200 ok\n");
    expect(await probe(webhook, "/readyz?verbose")).toBe("200 ok\n");
    expect(await probe(webhook, "/")).toBe("404 there are /healthz and /readyz here\n");
  });

  it("name all that is missing, and not what must not be shown", async () => {
    const missing = new SecretsError("store_unavailable", "the registration does not carry the CA yet");
    const readiness = [
      () => {},
      () => Promise.reject(missing),
      () => {
        throw new TypeError("internal detail");
      },
    ];
    const webhook = await serveForTest({ readiness });
    expect(await probe(webhook, "/readyz")).toBe(
      "503 not ready: the registration does not carry the CA yet\nnot ready: a check failed\n",
    );
    expect(await probe(webhook, "/healthz")).toBe("200 ok\n");
  });
});

it("L7: /readyz names no path of a file, which the log has", async () => {
  const reason =
    'secret.store.path: the store in "/home/me/.flyte-secrets/secrets.db" cannot be read (https://host/a/b)';
  const missing = new SecretsError("store_unavailable", reason);
  const webhook = await serveForTest({ readiness: [() => Promise.reject(missing)] });
  const shown = '503 not ready: secret.store.path: the store in "…" cannot be read (https://host/a/b)\n';
  for (let round = 0; round < 3; round++) expect(await probe(webhook, "/readyz")).toBe(shown);
  expect(webhook.logged().split("/home/me/.flyte-secrets/secrets.db")).toHaveLength(2);
});

describe("another certificate", () => {
  function fingerprint({ port, ca }: Target): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", ca, servername: "localhost" }, () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
        socket.destroy();
      });
      socket.once("error", reject);
    });
  }

  it("is served from the start when it came while the listeners were opened", async () => {
    const { cert, key } = await createCertificate();
    const webhook = await serveForTest({ renewedMeanwhile: { cert, key, ca: cert } });
    expect(await fingerprint({ ...webhook, ca: cert })).not.toBe("");
  });

  it("is served to new connections, while those that are open go on without a failed request", async () => {
    const webhook = await serveForTest();
    const before = await fingerprint(webhook);
    let turn = 0;
    const load = startLoad(4, () => {
      turn++;
      return webhook;
    });
    await vi.waitFor(() => expect(turn).toBeGreaterThan(20), SOON_MS);
    const next = await createCertificate();
    for (let round = 0; round < 10; round++) webhook.renew({ ...next, ca: next.cert });
    expect(await fingerprint({ port: webhook.port, ca: next.cert })).not.toBe(before);
    const turnAtRenewal = turn;
    await vi.waitFor(() => expect(turn).toBeGreaterThan(turnAtRenewal + 100), SOON_MS);
    expect((await load.stop()).failures).toEqual([]);
  });

  it("is logged, and told of in dry runs, once it is served, and not while only its CA is to be registered", async () => {
    const webhook = await serveForTest();
    const unreadable = taskPod([], { annotations: { "flyte.secrets/s0": "!" } });
    const causes = async (ca: string, dryRun = true) => {
      const answer = await review({ ...webhook, ca }, podReview(unreadable, { dryRun }));
      return (answer as { response: { status: { details?: object } } }).response.status.details;
    };
    const served = (message: string) => ({ causes: [{ reason: "ServedCertificate", message }] });
    const first = await fingerprint(webhook);
    expect(await causes(webhook.ca)).toEqual(served(first));

    const next = await createCertificate();
    webhook.renew({ ...webhook.first, ca: `${next.cert}${webhook.ca}` });
    expect(await causes(webhook.ca)).toEqual(served(first));
    expect(webhook.logged()).not.toContain("serving with another certificate");

    webhook.renew({ ...next, ca: next.cert });
    const second = await fingerprint({ port: webhook.port, ca: next.cert });
    expect(await causes(next.cert)).toEqual(served(second));
    expect(await causes(next.cert, false)).toBeUndefined();
    expect(webhook.logged()).toContain(`"sha256":"${second}","before":"${first}","msg":"serving with another`);
  });

  it("is not taken without its own key: the old one goes on", async () => {
    const webhook = await serveForTest();
    const [{ cert }, { key }] = await Promise.all([createCertificate(), createCertificate()]);
    webhook.renew({ cert, key, ca: cert });
    expect(await review(webhook, podReview(taskPod([])))).toMatchObject({ response: { allowed: true } });
    expect(webhook.logged()).toContain("the new certificate cannot be used, serving with the old one");
  });
});

describe("stopping", () => {
  it("one of two under load fails no admission: it is not ready, serves on, and closes after its last answers", async () => {
    const servers = [await serveForTest(), await serveForTest()];
    const [first] = servers;
    // What a Service does: it sends to the pods that were ready when it last looked.
    let endpoints = servers;
    const looking = setInterval(async () => {
      const ready = await Promise.all(servers.map(isReady));
      endpoints = servers.filter((_, at) => ready[at]);
    }, 20);
    onTestFinished(() => clearInterval(looking));
    let turn = 0;
    const load = startLoad(6, () => endpoints[turn++ % endpoints.length] ?? servers[1] ?? never());

    await vi.waitFor(() => expect(turn).toBeGreaterThan(100), SOON_MS);
    const closed = first?.close({ graceMs: 2_000, finishMs: 5_000 });
    await vi.waitFor(() => expect(endpoints).toEqual(servers.slice(1)), SOON_MS);
    await closed;
    const turnAtClose = turn;
    await vi.waitFor(() => expect(turn).toBeGreaterThan(turnAtClose + 100), SOON_MS);
    const { failures, admitted } = await load.stop();
    expect(failures).toEqual([]);
    expect([...admitted.values()].every((count) => count > 20)).toBe(true);
  });

  it("finishes a review that is in flight, and answers it as the last on its connection", async () => {
    const nothing = () => {};
    let release = nothing;
    const mutator: Pick<Mutator, "computeChange"> = {
      computeChange: () =>
        new Promise((resolve) => {
          release = () => resolve({ changed: false });
        }),
    };
    const webhook = await serveForTest({ mutator });
    const answer = review(webhook, podReview(taskPod([])));
    await vi.waitFor(() => expect(release).not.toBe(nothing), SOON_MS);
    const closed = webhook.close({ graceMs: 0, finishMs: 10_000 });
    await vi.waitFor(
      async () => expect(await probe(webhook, "/readyz")).toBe("503 not ready: shutting down\n"),
      SOON_MS,
    );
    release();
    expect(await answer).toMatchObject({ response: { allowed: true } });
    await closed;
    await expect(probe(webhook, "/healthz")).rejects.toThrow();
  });

  it("answers new reviews in the time that clients have to notice it, each as the last on its connection", async () => {
    const webhook = await serveForTest();
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const connection = async () =>
      (await send(webhook, JSON.stringify(podReview(taskPod([]))), { agent })).headers.connection;
    expect(await connection()).toBe("keep-alive");
    const closed = webhook.close({ graceMs: 4_000, finishMs: 10_000 });
    expect([await connection(), await connection()]).toEqual(["close", "close"]);
    await closed;
  });

  it("cuts off what takes too long", async () => {
    const computeChange = vi.fn<Mutator["computeChange"]>(() => new Promise(() => {}));
    const webhook = await serveForTest({ mutator: { computeChange } });
    const answer = review(webhook, podReview(taskPod([])));
    const outcome = expect(answer).rejects.toThrow("socket hang up");
    await vi.waitFor(() => expect(computeChange).toHaveBeenCalled(), SOON_MS);
    await webhook.close({ graceMs: 50, finishMs: 50 });
    await outcome;
  });
});

function never(): never {
  throw new Error("no endpoint is left");
}

describe("connections without a request", () => {
  async function connectTo({ port, ca }: Target): Promise<TLSSocket> {
    const socket = connect({ port, host: "127.0.0.1", ca, servername: "localhost" });
    onTestFinished(() => void socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  }

  it("are closed at once, and hold nobody up", async () => {
    const webhook = await serveForTest();
    const spare = await connectTo(webhook);
    // Both have been accepted once a later one is answered.
    await review(webhook, podReview(taskPod([])));
    const ended = once(spare, "close");
    await webhook.close({ graceMs: 0, finishMs: 60_000 });
    await ended;
  });

  it("are closed at once while their handshake is in progress", { timeout: 8_000 }, async () => {
    const webhook = await serveForTest();
    const socket = connectPlain(webhook.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    await review(webhook, podReview(taskPod([])));
    const ended = once(socket, "close");
    await webhook.close({ graceMs: 0, finishMs: 60_000 });
    await ended;
  });

  it("are left alone when one is on its way", async () => {
    const webhook = await serveForTest();
    const socket = await connectTo(webhook);
    const body = JSON.stringify(podReview(taskPod([])));
    socket.write(`POST /mutate--v1-pod HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`);
    await review(webhook, podReview(taskPod([])));
    const closed = webhook.close({ graceMs: 0, finishMs: 60_000 });
    await vi.waitFor(
      async () => expect(await connectTo(webhook).catch((error) => error.code)).toBe("ECONNREFUSED"),
      SOON_MS,
    );
    socket.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    await closed;
  });
});
