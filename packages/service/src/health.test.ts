import { type SecretStore, SecretsError } from "@flyte-secrets/core";
import { listen, type NodeHandler } from "@flyte-secrets/http";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { secretService } from "./secret-service.ts";
import { send } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const read = async (url: string, method = "GET") => {
  const { status, body } = await send(url, { method });
  return [status, body.toString()];
};

/** The service over a real store whose readiness check is replaced. */
async function startWithCheck(check: SecretStore["check"]) {
  const { store } = await startTestService();
  const replaced = new Proxy(store, {
    get(target, name) {
      const member: unknown = name === "check" ? check : Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const log: Record<string, unknown>[] = [];
  const service = secretService({
    store: replaced,
    config: { organization: "flyte", auth: { mode: "none" }, webhookURL: "" },
    telemetry: { log: pino({ level: "info" }, { write: (line: string) => void log.push(JSON.parse(line)) }) },
  });
  const serve = async (handler: NodeHandler) => {
    const listener = await listen({ handler, host: "127.0.0.1", port: 0 });
    onTestFinished(() => listener.close({ graceMs: 0 }));
    return `http://127.0.0.1:${listener.port}`;
  };
  return { service, log, url: await serve(service.handler), probes: await serve(service.probes) };
}

test("healthz and readyz are 200 OK while the store answers", async () => {
  const { url } = await startTestService();
  expect(await read(`${url}/healthz`)).toEqual([200, "OK"]);
  expect(await read(`${url}/readyz`)).toEqual([200, "OK"]);
  expect(await read(`${url}/readyz`, "HEAD")).toEqual([200, ""]);
});

test("readyz is 503 with the kind of the store's fault, of which the log says the rest, healthz stays 200", async () => {
  const { url, log } = await startWithCheck(async () => {
    throw new SecretsError("store_unavailable", "/home/me/store.db is gone");
  });
  expect(await read(`${url}/readyz`)).toEqual([503, "store Embedded: store_unavailable, see the server's log\n"]);
  expect(await read(`${url}/healthz`)).toEqual([200, "OK"]);
  expect(log.map(({ msg, reason }) => [msg, reason])).toEqual([["not ready", "/home/me/store.db is gone"]]);
});

test("the store is asked once for all who want to know at a time", async () => {
  let checks = 0;
  const { url } = await startWithCheck(async () => {
    checks += 1;
  });
  await Promise.all(Array.from({ length: 20 }, () => read(`${url}/readyz`)));
  expect(checks).toBeLessThan(3);
});

test("the probes' own handler answers healthz and readyz, and nothing else", async () => {
  const { probes } = await startWithCheck(async () => {});
  expect(await read(`${probes}/healthz`)).toEqual([200, "OK"]);
  expect(await read(`${probes}/readyz?verbose`)).toEqual([200, "OK"]);
  const message = "there are /healthz and /readyz here";
  expect(await read(`${probes}/secrets/api/v1`)).toEqual([404, JSON.stringify({ code: "unimplemented", message })]);
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
