import { once } from "node:events";
import { createServer as createHttpServer, request as requestHttp } from "node:http";
import { createServer as createHttpsServer, type RequestOptions, request as requestHttps } from "node:https";
import { type AddressInfo, createServer as createSocketServer, type Server } from "node:net";
import { connectionFault } from "@flyte-secrets/core";
import { createCertificate } from "@flyte-secrets/testkit";
import { expect, onTestFinished, test } from "vitest";

const certificate = await createCertificate();

async function listenOn(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** What a request there fails with. */
async function faultOf(server: Server, isSecure: boolean, options: RequestOptions = {}) {
  const port = await listenOn(server);
  const request = (isSecure ? requestHttps : requestHttp)({ host: "127.0.0.1", port, agent: false, ...options });
  const [error] = await once(request.end(), "error");
  return connectionFault(error, isSecure);
}

const plain = () => createHttpServer((_, res) => res.end());
const secure = (more: object = {}) => createHttpsServer({ ...certificate, ...more }, (_, res) => res.end());
const other = () => createSocketServer((socket) => void socket.on("error", () => {}).end("SSH-2.0-OpenSSH_10.0\r\n"));

test("a server that does not speak what we speak is told from one that is not there", async () => {
  expect(await faultOf(plain(), true)).toBe("no TLS");
  expect(await faultOf(other(), true)).toBe("no TLS");
  expect(await faultOf(secure(), false)).toBe("no HTTP");
  expect(await faultOf(other(), false)).toBe("no HTTP");
  // The server has hung up before the whole request was written.
  expect(connectionFault(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }), false)).toBe("no HTTP");
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  expect([true, false].map((isSecure) => connectionFault(refused, isSecure))).toEqual([undefined, undefined]);
  expect(connectionFault("no error", true)).toBeUndefined();
});

test("a certificate that is not taken is told by its fault", async () => {
  expect(await faultOf(secure(), true)).toBe("untrusted");
  expect(await faultOf(secure(), true, { ca: certificate.cert, servername: "api.example.com" })).toBe("other name");
  const over = await createCertificate(Date.now() - 7_200_000);
  expect(await faultOf(createHttpsServer(over), true, { ca: over.cert })).toBe("expired");
});

test("a server that wants a certificate of ours is told", async () => {
  const demanding = secure({ requestCert: true, rejectUnauthorized: true });
  expect(await faultOf(demanding, true, { ca: certificate.cert, servername: "localhost" })).toBe("certificate wanted");
});
