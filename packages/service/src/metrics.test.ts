import { once } from "node:events";
import { connect, constants } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";
import { expect, onTestFinished, test, vi } from "vitest";
import { send } from "./testing/send.ts";
import { startTestService } from "./testing/start-test-service.ts";

const TOKEN = "t0ken-of-this-test";
const bearer = { authorization: `Bearer ${TOKEN}` };

/** The number of calls by their labels. */
async function counts(url: string): Promise<string[]> {
  const { body } = await send(`${url}/metrics`, { headers: bearer });
  return [...body.toString().matchAll(/^rpc_server_duration_seconds_count\{(.*)\} (\d+)$/gm)].map(
    ([, labels = "", count]) =>
      `${labels
        .replaceAll(/\w+=|"/g, "")
        .split(",")
        .slice(1)
        .join(" ")}: ${count}`,
  );
}

test("calls are counted and timed by method, protocol and code, refused ones too", async () => {
  const { url } = await startTestService({ config: { auth: { mode: "token", token: TOKEN } } });
  const json = { "content-type": "application/json" };
  const call = (path: string, headers: Record<string, string>, method = "POST") =>
    send(`${url}${path}`, { method, headers, body: ["{}"] });
  await call("/flyteidl2.secret.SecretService/ListSecrets", { ...json, ...bearer });
  await call("/flyteidl2.secret.SecretService/ListSecrets", { ...json, ...bearer });
  await call("/flyteidl2.secret.SecretService/ListSecrets", json);
  await call("/flyteidl2.secret.SecretService/CreateSecret", { ...json, ...bearer });
  await call("/flyteidl2.secret.SecretService/NoSuchMethod", { ...json, ...bearer });
  await send(`${url}/secrets/api/v1/name/absent`, { headers: bearer });
  for (const transport of [
    createGrpcTransport({ baseUrl: url }),
    createGrpcWebTransport({ baseUrl: url, httpVersion: "2" }),
  ]) {
    await createClient(SecretService, transport).listSecrets({}, { headers: bearer });
  }
  await vi.waitFor(
    async () =>
      expect(await counts(url)).toEqual([
        "ListSecrets connect ok: 2",
        "ListSecrets connect unauthenticated: 1",
        "CreateSecret connect invalid_argument: 1",
        "GetSecret rest not_found: 1",
        "ListSecrets grpc ok: 1",
        "ListSecrets grpc_web ok: 1",
      ]),
    20_000,
  );
});

test("a call that its client resets in the middle of the body is counted as canceled", async () => {
  const { url } = await startTestService();
  const session = connect(url);
  onTestFinished(() => session.destroy());
  for (const type of ["application/json", "application/grpc"]) {
    const stream = session.request({
      ":method": "POST",
      ":path": "/flyteidl2.secret.SecretService/ListSecrets",
      "content-type": type,
      expect: "100-continue",
    });
    stream.on("error", () => {});
    // The server asks for the body when it begins to read it.
    await once(stream, "continue");
    stream.write(Buffer.from([0, 0, 0, 0, 9]));
    stream.close(constants.NGHTTP2_CANCEL);
  }
  await vi.waitFor(
    async () => expect(await counts(url)).toEqual(["ListSecrets connect canceled: 1", "ListSecrets grpc canceled: 1"]),
    20_000,
  );
});

test("metrics ask for the credentials of a call, and for none where calls need none", async () => {
  const guarded = await startTestService({ config: { auth: { mode: "token", token: TOKEN } } });
  const refused = await send(`${guarded.url}/metrics`);
  expect([refused.status, JSON.parse(refused.body.toString())]).toEqual([
    401,
    {
      code: "unauthenticated",
      message: 'no token was sent: send the header "authorization: Bearer <token>" with the token of this server',
    },
  ]);
  const shown = await send(`${guarded.url}/metrics`, { headers: bearer });
  expect([shown.status, shown.headers["content-type"]]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
  const open = await startTestService();
  expect((await send(`${open.url}/metrics`)).status).toBe(200);
});

test("a request that never comes to its call is counted with the code that it was answered with", async () => {
  const { url } = await startTestService({ config: { auth: { mode: "token", token: TOKEN } } });
  await send(`${url}/flyteidl2.secret.SecretService/DeleteSecret?encoding=json&message=%7B%7D`, { headers: bearer });
  await send(`${url}/flyteidl2.secret.SecretService/GetSecret`, { method: "POST", headers: bearer, body: ["{}"] });
  await vi.waitFor(async () =>
    expect((await counts(url)).toSorted()).toEqual([
      "DeleteSecret connect unimplemented: 1",
      "GetSecret connect invalid_argument: 1",
    ]),
  );
});
