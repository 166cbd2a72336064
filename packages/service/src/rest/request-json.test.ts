import { gzipSync } from "node:zlib";
import { CreateSecretRequestSchema } from "@flyte-secrets/idl";
import { describe, expect, test } from "vitest";
import { type Received, send } from "../testing/send.ts";
import { startTestService } from "../testing/start-test-service.ts";
import { createJsonDecoder } from "./request-json.ts";

const decoder = createJsonDecoder(CreateSecretRequestSchema);
const decode = (text: string): string => {
  try {
    return decoder.decode(Buffer.from(text));
  } catch (error) {
    return String(error);
  }
};

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const beside = (values: number) => `[${"0,".repeat(values - 1)}]`;

test.each([
  ["nested 32 deep", nested(32)],
  ["of 1,000 values", beside(1000)],
  ["with brackets in a string", `{"a":"${"[".repeat(5000)}"}`],
  ["with escaped quotes before brackets", `{"a":"\\\\\\"${"[{,".repeat(5000)}\\\\"}`],
  ["that ends within a string", `{"a":"\\"${"[".repeat(5000)}`],
  ["with a known enum name", '{"secretSpec":{"type":"SECRET_TYPE_IMAGE_PULL_SECRET"}}'],
  ["with an enum number", '{"secret_spec":{"type":7}}'],
  ["with an unknown field of that name", '{"type":"x","secretSpec":{"other":{"type":"x"}}}'],
  ["that is none", "{"],
])("JSON %s is passed on as it is", (_, text) => {
  expect(decode(text)).toBe(text);
});

test.each([
  ["nested 33 deep", nested(33), "the request's JSON is nested more than 32 levels deep"],
  ["of brackets alone", "[".repeat(6_000_000), "the request's JSON is nested more than 32 levels deep"],
  ["of 1,001 values", beside(1002), "the request's JSON has more than 1000 values"],
  ["of empty objects", `[${"{},".repeat(2_000_000)}`, "the request's JSON has more than 1000 values"],
  ["with brackets after a string", `"\\\\"${"[".repeat(33)}`, "the request's JSON is nested more than 32 levels deep"],
])("JSON %s is refused before it is parsed", (_, text, message) => {
  expect(decode(text)).toBe(`ConnectError: [invalid_argument] ${message}`);
});

test("quotes and backslashes are read in linear time", () => {
  const started = performance.now();
  decode(`"${"\\".repeat(6_000_000)}`);
  decode(`"${'\\"'.repeat(3_000_000)}`);
  expect(performance.now() - started).toBeLessThan(5_000);
});

describe("an unknown name of an enum", () => {
  const UNKNOWN = "type: must be one of SECRET_TYPE_GENERIC, SECRET_TYPE_IMAGE_PULL_SECRET in JSON";
  const CREATE = "/flyteidl2.secret.SecretService/CreateSecret";
  const json = { "content-type": "application/json" };
  const body = (field: string, name: string, spec: string) =>
    `{"id":{"name":"k"},"${field}":{"type":"${name}","${spec}":"v"},"future":{"type":"x"}}`;
  const read = ({ status, body }: Received): unknown => [status, JSON.parse(body.toString())];

  test.each([
    ["Connect", "POST", CREATE],
    ["REST", "POST", "/secrets/api/v1"],
    ["REST", "PUT", "/secrets/api/v1/name/k"],
  ])("is invalid_argument over %s with %s %s, and unknown fields are not", async (_, method, path) => {
    const { url } = await startTestService();
    await send(`${url}${CREATE}`, {
      method: "POST",
      headers: json,
      body: [body("secretSpec", "SECRET_TYPE_GENERIC", "stringValue")],
    });
    const refused = [400, { code: "invalid_argument", message: UNKNOWN }];
    for (const text of [
      body("secretSpec", "SECRET_TYPE_IMAGE_PUL", "stringValue"),
      body("secret_spec", "", "string_value"),
      body("secretSpec", "secret_type_generic", "stringValue"),
    ]) {
      expect(read(await send(url + path, { method, headers: json, body: [text] }))).toEqual(refused);
    }
    const gzipped = { ...json, "content-encoding": "gzip" };
    const text = gzipSync(body("secretSpec", "X", "stringValue"));
    expect(read(await send(url + path, { method, headers: gzipped, body: [text] }))).toEqual(refused);
    const good = body("secretSpec", "SECRET_TYPE_GENERIC", "stringValue").replace('"name":"k"', '"name":"k2"');
    expect((await send(url + path, { method, headers: json, body: [good] })).status).toBe(200);
  });
});
