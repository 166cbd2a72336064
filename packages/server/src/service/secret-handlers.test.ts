import { createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";
import { expect, test } from "vitest";
import { startService } from "./testing/start-service.ts";

const transports: [string, (url: string) => Transport][] = [
  ["connect json h1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false })],
  ["connect h2", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
  ["grpc h2", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["grpc-web h1", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
];

test.each(transports)("%s", async (_, transport) => {
  const { url, log } = await startService();
  const client = createClient(SecretService, transport(url));
  const id = { name: "api-key", domain: "development", project: "p" };
  await client.createSecret({ id, secretSpec: { value: { case: "stringValue", value: "v" } } });
  const { secret } = await client.getSecret({ id });
  expect(secret?.id?.name).toBe("api-key");
  await expect(client.createSecret({ id, secretSpec: { value: { case: "stringValue", value: "v" } } })).rejects.toThrow(
    "already exists",
  );
  expect(log.length).toBeGreaterThan(0);
});
