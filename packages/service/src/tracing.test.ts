import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { loadConfig } from "@flyte-secrets/config";
import { createLogger, openTracing } from "@flyte-secrets/http";
import { startCollector } from "@flyte-secrets/http/testing";
import { SecretService } from "@flyte-secrets/idl";
import { expect, test } from "vitest";
import { send } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const CANARY = "canary-51e0";
const SERVICE = "flyteidl2.secret.SecretService";

test("each call is a span of its caller's trace, with its code and without its content or its caller's address", async () => {
  const collector = await startCollector();
  const flags = { "otel.type": "otlphttp", "otel.otlphttp.endpoint": collector.url };
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/", cwd: "/" });
  const log = createLogger(config.logger);
  const tracing = await openTracing({ config: config.otel, serviceName: "secret-service", log });
  const service = await startTestService(tracing && { tracing });
  const headers = {
    "content-type": "application/json",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  const body = [JSON.stringify({ id: { name: "api-key" }, secretSpec: { stringValue: CANARY } })];
  await send(`${service.url}/${SERVICE}/CreateSecret`, { method: "POST", headers, body });
  await send(`${service.url}/${SERVICE}/CreateSecret`, { method: "POST", headers, body });
  const grpc = createClient(SecretService, createGrpcTransport({ baseUrl: service.url }));
  await grpc.listSecrets({});
  await expect(grpc.getSecret({ id: { name: "absent" } })).rejects.toThrow();
  await send(`${service.url}/secrets/api/v1/name/api-key`);
  await send(`${service.url}/healthz`);
  await service.close();
  await tracing?.close();
  const spans = collector.spans();
  const create = { "rpc.service": SERVICE, "rpc.method": "CreateSecret", "rpc.system": "connect_rpc" };
  expect(spans.map(({ attributes }) => attributes)).toEqual([
    create,
    { ...create, "rpc.connect_rpc.error_code": "already_exists" },
    { "rpc.service": SERVICE, "rpc.method": "ListSecrets", "rpc.system": "grpc", "rpc.grpc.status_code": 0 },
    { "rpc.service": SERVICE, "rpc.method": "GetSecret", "rpc.system": "grpc", "rpc.grpc.status_code": 5 },
    { "rpc.service": SERVICE, "rpc.method": "GetSecret", "rpc.system": "connect_rpc" },
  ]);
  expect(spans[0]).toMatchObject({
    service: "secret-service",
    name: `${SERVICE}/CreateSecret`,
    traceId: "0af7651916cd43dd8448eb211c80319c",
    parentSpanId: "b7ad6b7169203331",
    status: 0,
  });
  for (const text of [CANARY, Buffer.from(CANARY).toString("base64"), "127.0.0.1"]) {
    expect(collector.received()).not.toContain(text);
  }
});
