import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rawRequest, sendRaw, statusOf } from "./send-raw.ts";

const FORGED = '{"level":"error","msg":"forged"}';
/** What a reader of lines, a terminal or a viewer of logs could take for something else. */
const NAMES = [
  `a\n${FORGED}`,
  `a\r\n${FORGED}\r\n`,
  "\u001b[2J\u001b]0;owned\u0007",
  "\u2028\u2029\u0085",
  "\u202egnp.exe",
  "\0",
  '","level":"fatal',
];
/** Line breaks, controls of terminals, and what turns the direction of text. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u;
const SERVICE = "/flyteidl2.secret.SecretService";

let serve: ServeProcess;
const args = (type: string) => ["--logger.level", "debug", "--logger.formatter.type", type];
const headers = (...more: string[]) => [
  "Host: 127.0.0.1",
  `authorization: Bearer ${serve.token}`,
  "content-type: application/json",
  ...more,
];
const post = (method: string, body: string, ...more: string[]) =>
  sendRaw(serve.port, rawRequest(`POST ${SERVICE}/${method}`, headers(...more), Buffer.from(body).toString("latin1")));

/** What was logged after the greeting, once the last request is in it. */
async function logged(): Promise<string[]> {
  await sendRaw(serve.port, rawRequest("GET /the-last-one", headers()));
  await expect.poll(() => serve.output()).toContain("/the-last-one");
  return serve
    .output()
    .split("\n")
    .filter((line) => line !== "");
}

afterEach(async () => {
  await serve.close();
});

describe.each(["json", "text"])("with logs as %s", (type) => {
  beforeEach(async () => {
    serve = await startServe({ args: args(type) });
  });

  test("names, paths and headers with line breaks, escapes and quotes add no line and no field of their own", async () => {
    const before = serve.output().split("\n").length;
    for (const name of NAMES) {
      const encoded = encodeURIComponent(name);
      await post("CreateSecret", JSON.stringify({ id: { name, domain: name }, secretSpec: { stringValue: "v" } }));
      await post(
        "GetSecret",
        JSON.stringify({ id: { name } }),
        `x-request-id: ${encoded}`,
        `connect-timeout-ms: ${encoded}`,
      );
      await sendRaw(serve.port, rawRequest(`GET /secrets/api/v1/name/${encoded}?id.domain=${encoded}`, headers()));
      await sendRaw(serve.port, rawRequest(`GET /${encoded}`, headers()));
      await sendRaw(serve.port, rawRequest(`POST /flyteidl2.${encoded}/X`, headers()));
      await sendRaw(serve.port, rawRequest(`GET /\u001b[31m${encoded}`, headers(`user-agent: ${FORGED}`)));
    }
    const lines = (await logged()).slice(before - 1);
    expect(lines.length).toBeGreaterThan(NAMES.length);
    expect(lines.filter((line) => UNSAFE.test(line))).toEqual([]);
    expect(lines.filter((line) => line.startsWith("{") !== (type === "json"))).toEqual([]);
    if (type === "json") {
      const entries = lines.map((line) => JSON.parse(line));
      expect(entries.filter(({ msg, level }) => msg === "forged" || level === "fatal")).toEqual([]);
    }
  });
});

test("malformed requests that hold a value leave it in no line of the log at debug, and in no answer", async () => {
  serve = await startServe({ args: args("json") });
  const canary = `canary-${randomBytes(12).toString("hex")}`;
  const create = (spec: string) => `{"id":{"name":"k"},"secretSpec":${spec}}`;
  const binary = Buffer.concat([
    Buffer.from([0x0a, 0x03, 0x0a, 0x01, 0x6b, 0x12, 0x7f, 0x0a, 0x20]),
    Buffer.from(canary),
  ]);
  const bodies: [string, string | Buffer, string][] = [
    ["a field of the wrong type", create(`{"stringValue":["${canary}"]}`), "application/json"],
    ["a value that is cut off", create(`{"stringValue":"${canary}`), "application/json"],
    ["a key without a value", create(`{"${canary}"}`), "application/json"],
    ["bytes that are no base64", create(`{"binaryValue":"${canary}\u00e9"}`), "application/json"],
    ["both kinds of value", create(`{"stringValue":"${canary}","binaryValue":"AA=="}`), "application/json"],
    ["an unknown enum", create(`{"stringValue":"v","type":"${canary}"}`), "application/json"],
    ["a lone surrogate", create(`{"stringValue":"${canary}\\ud800"}`), "application/json"],
    ["a list", `["${canary}"]`, "application/json"],
    ["text", canary, "application/json"],
    ["protobuf that is cut off", binary, "application/proto"],
    ["protobuf under the name of JSON", binary, "application/json"],
    ["JSON under the name of protobuf", create(`{"stringValue":"${canary}"}`), "application/proto"],
    [
      "gRPC-Web with a wrong length",
      Buffer.concat([Buffer.from([0, 0xff, 0, 0, 0]), binary]),
      "application/grpc-web+proto",
    ],
    ["gRPC over HTTP/1.1", Buffer.concat([Buffer.from([0, 0, 0, 0, binary.length]), binary]), "application/grpc"],
    ["a form", `value=${canary}`, "application/x-www-form-urlencoded"],
    ["multipart", `--x\r\n\r\n${canary}\r\n--x--`, "multipart/form-data; boundary=x"],
    ["a type of nobody", canary, `text/${canary}`],
  ];
  const answers: string[] = [];
  for (const [, body, type] of bodies) {
    for (const encoding of ["", "gzip", "br"]) {
      const sent = encoding === "gzip" ? gzipSync(body) : Buffer.from(body);
      const lines = [
        "Host: h",
        `authorization: Bearer ${serve.token}`,
        `content-type: ${type}`,
        ...(encoding ? [`content-encoding: ${encoding}`] : []),
      ];
      for (const line of [`POST ${SERVICE}/CreateSecret`, "POST /secrets/api/v1", "PUT /secrets/api/v1/name/k"]) {
        answers.push(await sendRaw(serve.port, rawRequest(line, lines, sent.toString("latin1"))));
      }
    }
  }
  expect(answers.filter((answer) => statusOf(answer) < 200 || statusOf(answer) === 500)).toEqual([]);
  const text = `${(await logged()).join("\n")}\n${answers.join("\n")}`;
  const forms = [canary, Buffer.from(canary).toString("base64").slice(0, 32), Buffer.from(canary).toString("hex")];
  expect(forms.filter((form) => text.includes(form))).toEqual([]);
});
