import { request } from "node:http";
import { join } from "node:path";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import type { ServiceListenerOptions } from "./service-options.ts";
import { startService } from "./start-service.ts";
import { send } from "./testing/send.ts";

const TOKEN = "t0ken-of-this-test";
const log = pino({ level: "silent" });
const json = { "content-type": "application/json" };
const SELECT = "/flyteidl2.cluster.ClusterService/SelectCluster";

/** Starts a service on a store of its own, in `directory`. */
async function start(directory: string, listener: Partial<ServiceListenerOptions>, mode: "none" | "token" = "token") {
  const store = await openEmbeddedStore({ directory: join(directory, "store"), log });
  onTestFinished(() => store.close());
  const auth = mode === "none" ? ({ mode } as const) : { mode, token: TOKEN };
  const options = {
    organization: "flyte",
    auth,
    webhookURL: "",
    listener: { host: "127.0.0.1", port: 0, ...listener },
  };
  const service = await startService(options, { store, log });
  onTestFinished(() => service.close());
  return service;
}

/** The status of a call without credentials over a Unix socket. */
function statusBySocket(socketPath: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const call = request({ socketPath, path: SELECT, method: "POST", headers: { ...json, host: "localhost" } });
  call.on("response", (response) => resolve(response.resume().statusCode)).on("error", reject);
  call.end('{"operation":"OPERATION_CREATE"}');
  return promise;
}

test("its port takes the token, and the user's socket needs none", async () => {
  const directory = createTemporaryDirectory();
  const { endpoint, socketPath, proofKey } = await start(directory, { socketPath: join(directory, "server.sock") });
  expect([socketPath, proofKey]).toEqual([join(directory, "server.sock"), undefined]);
  const post = (headers = {}) =>
    send(endpoint + SELECT, { method: "POST", headers: { ...json, ...headers }, body: ["{}"] });
  expect((await post()).status).toBe(401);
  expect((await post({ authorization: `Bearer ${TOKEN}` })).status).not.toBe(401);
  expect(await statusBySocket(socketPath ?? "")).not.toBe(401);
});

test("after it was closed nothing listens, and closing again waits for the same", async () => {
  const directory = createTemporaryDirectory();
  const { endpoint, socketPath = "", close } = await start(directory, { socketPath: join(directory, "server.sock") });
  await Promise.all([close(), close()]);
  await expect(send(`${endpoint}/healthz`)).rejects.toThrow("ECONNREFUSED");
  await expect(statusBySocket(socketPath)).rejects.toThrow("ENOENT");
});

test.each([
  "0.0.0.0",
  "::",
  "192.0.2.1",
  "secrets.example.com",
])("without authentication it does not listen on %s", async (host) => {
  await expect(start(createTemporaryDirectory(), { host }, "none")).rejects.toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining(`secret.auth.mode none on ${host} would let everybody who reaches it`),
  });
});
