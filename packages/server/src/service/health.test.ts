import { type SecretStore, SecretsError } from "@flyte-secrets/core";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../rpc/listen.ts";
import { secretService } from "./secret-service.ts";
import { send } from "./testing/send.ts";
import { startService } from "./testing/start-service.ts";

const read = async (url: string, method = "GET") => {
  const { status, body } = await send(url, { method });
  return [status, body.toString()];
};

/** The service over a real store whose readiness check is replaced. */
async function startWithCheck(check: SecretStore["check"]) {
  const { store } = await startService();
  const replaced = new Proxy(store, {
    get(target, name) {
      const member: unknown = name === "check" ? check : Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const service = secretService({
    store: replaced,
    config: { organization: "flyte", auth: { mode: "none" }, webhookURL: "" },
    telemetry: { log: pino({ level: "silent" }) },
  });
  const listener = await listen({ handler: service.handler, host: "127.0.0.1", port: 0 });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  return { service, url: `http://127.0.0.1:${listener.port}` };
}

test("healthz and readyz are 200 OK while the store answers", async () => {
  const { url } = await startService();
  expect(await read(`${url}/healthz`)).toEqual([200, "OK"]);
  expect(await read(`${url}/readyz`)).toEqual([200, "OK"]);
  expect(await read(`${url}/readyz`, "HEAD")).toEqual([200, ""]);
});

test("readyz is 503 with the store's reason, healthz stays 200", async () => {
  const { url } = await startWithCheck(async () => {
    throw new SecretsError("store_unavailable", "the disk is gone");
  });
  expect(await read(`${url}/readyz`)).toEqual([503, "store Embedded: the disk is gone\n"]);
  expect(await read(`${url}/healthz`)).toEqual([200, "OK"]);
});

test("readyz is 503 when the store doesn't answer in time", async () => {
  const { url } = await startWithCheck(() => new Promise(() => {}));
  expect(await read(`${url}/readyz`)).toEqual([503, "store Embedded: no answer within 2000 ms\n"]);
});

test("readyz is 503 once the service is being closed, and calls are still served", async () => {
  const { service, url } = await startWithCheck(async () => {});
  await service.close();
  expect(await read(`${url}/readyz`)).toEqual([503, "shutting down\n"]);
  expect((await read(`${url}/secrets/api/v1`))[0]).toBe(200);
});
