import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createCertificate } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { send, sendHttp2 } from "../testing/send.ts";
import { startTestService } from "../testing/start-test-service.ts";

const PATH = "/flyteidl2.cluster.ClusterService/SelectCluster";
/** Any name may be called where credentials are asked for, these in these tests too. */
const config = { allowedHosts: ["secrets.example.com", "other", "h"] };
const json = { "content-type": "application/json" };

const select = async (sendIt: typeof send, url: string, headers: Record<string, string> = {}, message = "{}") => {
  const answer = await sendIt(url + PATH, { method: "POST", headers: { ...json, ...headers }, body: [message] });
  return JSON.parse(answer.body.toString()).clusterEndpoint;
};

test.each([
  ["{}"],
  ['{"orgId":{"name":""},"operation":"OPERATION_USE_SECRETS"}'],
  ['{"projectId":{"name":"p","domain":"d"},"operation":8}'],
  ['{"domainId":{"name":"d"}}'],
  ['{"clusterPoolId":{"name":"pool"}}'],
])("answers %s with the address that the client used", async (message) => {
  const { url } = await startTestService();
  expect(await select(send, url, {}, message)).toBe(url);
});

test.each([
  ['{"clusterId":{"organization":"o","name":"c"},"operation":"OPERATION_GET_CLUSTER_CONFIG"}'],
  ['{"queueId":{"organization":"o","domain":"d","project":"p","name":"q"},"operation":"OPERATION_UPLOAD_TRIGGER"}'],
  ['{"operation":99,"runId":{"nested":[{"deep":{}}]}}'],
  ['{"operation":"OPERATION_OF_TOMORROW","org_id":{"name":"o","region":"eu"}}'],
  ['{"projectId":{"name":"p","domain":"d"},"clusterId":{"name":"c"},"cell":null,"zones":["a"]}'],
])("takes %s, of a Flyte newer than the descriptors, and refuses what no Flyte sends", async (message) => {
  const { url } = await startTestService();
  expect(await select(send, url, {}, message)).toBe(url);
  const broken = message.replace("{", '{"clusterPoolId":7,');
  const answer = await send(url + PATH, { method: "POST", headers: json, body: [broken] });
  expect(answer.status).toBe(400);
});

/** A field of protobuf's wire format: number, type 0 (varint) or 2 (bytes), and what it holds. */
const field = (number: number, content: number | Buffer): Buffer =>
  typeof content === "number"
    ? Buffer.of(number << 3, content)
    : Buffer.concat([Buffer.of((number << 3) | 2, content.byteLength), content]);

test.each([
  ["clusterId", field(10, field(2, Buffer.from("c")))],
  ["queueId", field(11, Buffer.concat([field(1, Buffer.from("o")), field(4, Buffer.from("q"))]))],
  ["a member of tomorrow", field(15, field(1, field(1, Buffer.from("x"))))],
])("takes %s and an operation of tomorrow in binary too", async (_, resource) => {
  const { url } = await startTestService();
  const body = [Buffer.concat([resource, field(8, 99)])];
  const headers = { "content-type": "application/proto" };
  const answer = await send(url + PATH, { method: "POST", headers, body });
  expect([answer.status, answer.body.toString()]).toEqual([200, expect.stringContaining(url)]);
});

test("takes the host from :authority on HTTP/2 and from Host otherwise, as they are", async () => {
  const { url } = await startTestService({ config });
  expect(await select(send, url, { host: "Secrets.example.com:80" })).toBe("http://Secrets.example.com:80");
  expect(await select(sendHttp2, url, { ":authority": "secrets.example.com:81", host: "other" })).toBe(
    "http://secrets.example.com:81",
  );
});

test("answers nothing when the request names no host", async () => {
  const { port } = await startTestService();
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST ${PATH} HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 .*\r\n\r\n\{\}$/s);
});

test("the scheme is https with TLS", async () => {
  const { url } = await startTestService({ tls: await createCertificate() });
  expect(await select(send, url)).toBe(url);
  expect(await select(sendHttp2, url)).toBe(url);
});

test.each([
  ["https", "https"],
  ["HTTPS, http", "https"],
  [" http ,https", "http"],
  ["ftp", "http"],
  ["", "http"],
])("X-Forwarded-Proto: %s makes the scheme %s", async (header, scheme) => {
  const { url } = await startTestService({ config });
  expect(await select(send, url, { "x-forwarded-proto": header, host: "h" })).toBe(`${scheme}://h`);
});
