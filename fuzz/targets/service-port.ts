import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runService } from "@flyte-secrets/cli/testing";
import { loadConfig } from "@flyte-secrets/config";
import { SecretValue } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { checkAnswer, sendBytes } from "../send-bytes.ts";
import type { FuzzTarget } from "../target.ts";

const CANARY = "canary-5d0f-value";
const TOKEN = "TOKEN-OF-THIS-RUN";
const SERVICE = "/flyteidl2.secret.SecretService";
const JSON_TYPE = "content-type: application/json\r\n";

const request = (line: string, headers: string, body = "") =>
  `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const call = (method: string, body: string, headers = JSON_TYPE) =>
  request(`POST ${SERVICE}/${method}`, `authorization: Bearer ${TOKEN}\r\n${headers}`, body);

/**
 * The first bytes of a connection to `serve`, and all that come after them: HTTP/1.1 and HTTP/2, with the token in
 * place of TOKEN-OF-THIS-RUN. A blank byte 0xff cuts them into packets.
 */
export const target: FuzzTarget = {
  seeds: [
    "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "P\xffRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    call("GetSecret", '{"id":{"name":"canary","domain":"d","project":"p"}}'),
    call("ListSecrets", '{"limit":2,"domain":"d"}', `${JSON_TYPE}connect-timeout-ms: 1000\r\n`),
    call("CreateSecret", '{"id":{"name":"a"},"secretSpec":{"stringValue":"v","type":"SECRET_TYPE_GENERIC"}}'),
    call("GetSecret", "\n\x08\n\x06canary", "content-type: application/proto\r\n"),
    call("GetSecret", "\x00\x00\x00\x00\x0a\n\x08\n\x06canary", "content-type: application/grpc-web+proto\r\n"),
    request("GET /secrets/api/v1/name/canary?id.domain=d&id.project=p", `authorization: Bearer ${TOKEN}\r\n`),
    request("GET /secrets/api/v1?limit=1", ""),
    request("POST /flyteidl2.auth.AuthMetadataService/GetPublicClientConfig", JSON_TYPE, "{}"),
    `POST ${SERVICE}/GetSecret HTTP/1.1\r\nHost: 127.0.0.1\r\n${JSON_TYPE}transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  ],
  dictionary: [
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/1.1",
    "\r\n",
    "\r\n\r\n",
    "Host: ",
    "transfer-encoding: chunked\r\n",
    "content-encoding: gzip\r\n",
    "expect: 100-continue\r\n",
    "connection: upgrade\r\nupgrade: h2c\r\n",
    "content-length: 0\r\n",
    "application/grpc",
    "application/grpc-web-text",
    "connect-protocol-version: 1\r\n",
    "?connect=v1&encoding=json&message=%7B%7D",
    "grpc-timeout: 1m\r\n",
    "authorization: Bearer ",
    TOKEN,
    "/healthz",
    "/readyz",
    "/metrics",
    "CreateSecret",
    "DeleteSecret",
    "SelectCluster",
    "OPTIONS",
    "CONNECT",
    "Origin: http://evil.example\r\n",
    "\xff",
  ],
  async open() {
    const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-fuzz-"));
    const flags = { "secret.server.port": "0", "secret.store.path": directory, "logger.level": "1" };
    const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: directory, cwd: directory });
    const log = createLogger(config.logger, { write() {} });
    const store = await openEmbeddedStore({ directory, log });
    await store.create(
      { org: "flyte", domain: "d", project: "p", name: "canary" },
      { value: SecretValue.fromText(CANARY), type: "generic" },
    );
    await store.close();
    const server = await runService(config, { log });
    const port = Number(new URL(server.endpoint).port);
    const token = readFileSync(join(directory, "token"), "latin1").trim();
    return {
      async run(bytes) {
        const text = Buffer.from(bytes).toString("latin1").replaceAll(TOKEN, token);
        const pieces = text.split("\xff").map((piece) => Buffer.from(piece, "latin1"));
        checkAnswer(await sendBytes(port, pieces), CANARY);
      },
      async close() {
        await server.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
};
