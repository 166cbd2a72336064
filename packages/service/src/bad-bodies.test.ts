import { connect, constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { type Received, type Sent, send, sendHttp2 } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";
const json = { "content-type": "application/json" };
const proto = { "content-type": "application/proto" };
const LIMIT = 6 * 1024 * 1024 + 65_536;
const mebibyte = Buffer.alloc(1024 * 1024, "A");
const mebibytes64 = Array.from({ length: 64 }, () => mebibyte);
/** An envelope of gRPC that promises 64 MiB. */
const envelope64 = Buffer.from([0, 4, 0, 0, 0]);

const post = (url: string, sent: Sent) => send(url + CREATE, { method: "POST", ...sent });

function readJson({ status, body }: Received): unknown {
  return { status, ...JSON.parse(body.toString()) };
}

const invalid = (message: string) => ({ status: 400, code: "invalid_argument", message });
const NOT_JSON = invalid(
  "the request body is not the request's JSON: one object in UTF-8, objects for nested messages, no name twice",
);

/** The canary is part of each body; neither the answer nor the log may have it. */
const unreadable: [string, Sent, unknown][] = [
  ["no JSON", { headers: json, body: ["canary-31"] }, NOT_JSON],
  ["empty", { headers: json }, NOT_JSON],
  ["JSON cut short", { headers: json, body: ['{"secretSpec":{"stringValue":"canary-31'] }, NOT_JSON],
  ["JSON with more behind it", { headers: json, body: ['{"secretSpec":{"stringValue":"canary-31"}}}'] }, NOT_JSON],
  ["a JSON array", { headers: json, body: ['["canary-31"]'] }, NOT_JSON],
  ["a name twice", { headers: json, body: ['{"secretSpec":{"stringValue":"canary-31","stringValue":"b"}}'] }, NOT_JSON],
  ["no UTF-8", { headers: json, body: ['{"secretSpec":{"stringValue":"canary-31', Buffer.of(0xff), '"}}'] }, NOT_JSON],
  [
    "a value of the wrong type",
    { headers: json, body: ['{"secretSpec":{"stringValue":["canary-31"]}}'] },
    invalid("string_value: must be a string in JSON"),
  ],
  [
    "binary that is no base64",
    { headers: json, body: ['{"secretSpec":{"binaryValue":"canary-31%"}}'] },
    invalid("binary_value: must be base64 in JSON"),
  ],
  [
    "both values",
    { headers: json, body: ['{"secretSpec":{"stringValue":"canary-31","binaryValue":"AAAA"}}'] },
    invalid("value: only one of string_value, binary_value may be set"),
  ],
  ["an id that is no object", { headers: json, body: ['{"id":"canary-31"}'] }, NOT_JSON],
  [
    "protobuf cut short",
    { headers: proto, body: [Buffer.of(0x0a, 0x50), "canary-31"] },
    invalid("parse binary: premature EOF"),
  ],
  [
    "protobuf text that is no UTF-8",
    { headers: proto, body: [Buffer.of(0x0a, 0x03, 0x0a, 0x01, 0xff)] },
    invalid("parse binary: The encoded data was not valid for encoding utf-8"),
  ],
  [
    "not gzip although it says so",
    { headers: { ...json, "content-encoding": "gzip" }, body: ["canary-31"] },
    invalid("decompression failed"),
  ],
  [
    "gzip cut short",
    { headers: { ...json, "content-encoding": "gzip" }, body: [gzipSync("canary-31").subarray(0, 20)] },
    invalid("decompression failed"),
  ],
  [
    "an encoding that isn't offered",
    { headers: { ...json, "content-encoding": "br" }, body: ["canary-31"] },
    { status: 501, code: "unimplemented", message: 'unknown compression "br": supported encodings are gzip' },
  ],
  [
    "another content type",
    { headers: { "content-type": "text/plain" }, body: ["canary-31"] },
    {
      status: 415,
      code: "invalid_argument",
      message:
        "this content type is not served: use application/json or application/proto, or application/grpc or application/grpc-web",
    },
  ],
  [
    "no content type",
    { body: ["canary-31"] },
    {
      status: 415,
      code: "invalid_argument",
      message:
        "the content-type header is missing: use application/json or application/proto, or application/grpc or application/grpc-web",
    },
  ],
];

test.each(unreadable)("a body that is %s gets an answer that says so and quotes nothing", async (_, sent, expected) => {
  const { url, log } = await startTestService();
  expect(readJson(await post(url, sent))).toEqual(expected);
  expect(JSON.stringify(log)).not.toContain("canary-31");
});

test.each([
  ["application/grpc", Buffer.of(0x0a, 0x50), "parse binary: premature EOF"],
  [
    "application/grpc+json",
    Buffer.from('{"secretSpec":{"stringValue":["canary-31"]}}'),
    "string_value: must be a string in JSON",
  ],
])("unreadable messages in %s are invalid_argument in its trailers", async (contentType, message, expected) => {
  const { url } = await startTestService();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.byteLength, 1);
  const headers = { "content-type": contentType, te: "trailers" };
  const { trailers } = await sendHttp2(url + CREATE, { method: "POST", headers, body: [head, message] });
  expect([trailers["grpc-status"], decodeURIComponent(String(trailers["grpc-message"]))]).toEqual(["3", expected]);
});

describe("64 MiB", () => {
  const known = {
    status: 429,
    code: "resource_exhausted",
    message: `message size ${64 * 1024 * 1024} is larger than configured readMaxBytes ${LIMIT}`,
  };
  const unknown = { ...known, message: `message size is larger than configured readMaxBytes ${LIMIT}` };
  const length = { "content-length": String(64 * 1024 * 1024) };

  test.each([
    ["over HTTP/1.1, announced", send, { ...json, ...length }, known],
    ["over HTTP/1.1, in chunks", send, json, unknown],
    ["over HTTP/2, announced", sendHttp2, { ...json, ...length }, known],
    ["over HTTP/2, not announced", sendHttp2, json, unknown],
  ] as const)("%s are refused with the limit, and the server goes on", async (_, sendIt, headers, expected) => {
    const { url } = await startTestService();
    expect(readJson(await sendIt(url + CREATE, { method: "POST", headers, body: mebibytes64 }))).toEqual(expected);
    expect((await send(`${url}/readyz`)).status).toBe(200);
  });

  test("of gRPC and gRPC-Web are resource_exhausted", async () => {
    const { url } = await startTestService();
    const sent = { method: "POST", body: [envelope64, ...mebibytes64] };
    const grpc = await sendHttp2(url + CREATE, { ...sent, headers: { "content-type": "application/grpc" } });
    expect(grpc.trailers["grpc-status"]).toBe("8");
    const web = await send(url + CREATE, { ...sent, headers: { "content-type": "application/grpc-web" } });
    expect(web.body.toString()).toContain("grpc-status: 8");
  });

  test("that gzip made small are refused with the limit", async () => {
    const { url } = await startTestService();
    const body = [gzipSync(Buffer.alloc(64 * 1024 * 1024))];
    expect(readJson(await post(url, { headers: { ...json, "content-encoding": "gzip" }, body }))).toEqual({
      ...known,
      message: `message is larger than configured readMaxBytes ${LIMIT} after decompression`,
    });
  });
});

test("a value of 1 MiB is taken whichever way JSON writes it, one byte more is refused with both sizes", async () => {
  const { url } = await startTestService();
  const create = (name: string, spec: string) =>
    post(url, { headers: json, body: [`{"id":{"name":"${name}"},"secretSpec":{${spec}}}`] });
  expect((await create("base64", `"binaryValue":"${mebibyte.toString("base64")}"`)).status).toBe(200);
  expect((await create("escaped", `"stringValue":"${"\\u0000".repeat(1024 * 1024)}"`)).status).toBe(200);
  expect(readJson(await create("over", `"stringValue":"${mebibyte}A"`))).toMatchObject({
    status: 400,
    code: "invalid_argument",
    message: expect.stringMatching(/1048577.*1048576/),
  });
  expect((await send(`${url}/secrets/api/v1/name/over`)).status).toBe(404);
});

test("a client that goes away in the middle of an upload writes nothing and harms nobody", async () => {
  const { url, store } = await startTestService();
  const session = connect(url);
  const stream = session.request({ ":method": "POST", ":path": CREATE, ...json });
  stream.on("error", () => {});
  stream.write('{"id":{"name":"k"},"secretSpec":{"stringValue":"v');
  await new Promise((resolve) => session.ping(resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await new Promise((resolve) => session.ping(resolve));
  session.destroy();
  expect((await send(`${url}/readyz`)).status).toBe(200);
  expect(await store.get({ org: "flyte", domain: "", project: "", name: "k" })).toBeUndefined();
});
