import { once } from "node:events";
import { createServer, request } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, connect, type Server } from "node:net";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";
import { createCertificate } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { resolveConnection } from "./connection.ts";
import { createSecretsClient } from "./secrets-client.ts";

async function listening(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A proxy to which every name is this machine. */
async function startProxy() {
  const seen: string[] = [];
  const proxy = createServer((req, res) => {
    const { port, pathname, host } = new URL(req.url ?? "");
    seen.push(`${req.method} ${host}`);
    const { method, headers } = req;
    const forwarded = request({ host: "127.0.0.1", port, path: pathname, method, headers }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    req.pipe(forwarded);
  });
  proxy.on("connect", (req, socket) => {
    seen.push(`CONNECT ${req.url}`);
    const to = connect(Number(req.url?.split(":")[1]), "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
    to.on("error", () => socket.destroy());
    socket.on("error", () => to.destroy());
    socket.pipe(to).pipe(socket);
  });
  return { url: `http://127.0.0.1:${await listening(proxy)}`, seen };
}

const handler = connectNodeAdapter({
  routes: (router) => void router.service(SecretService, { getSecret: ({ id }) => ({ secret: id ? { id } : {} }) }),
});

/** One call as of a process with these variables; what it ends in. */
async function call(endpoint: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const home = createTemporaryDirectory();
  const environment = { variables: { HOME: home, ...variables }, home, cwd: home };
  const connection = await resolveConnection({ endpoint, token: "t", insecureSkipVerify: true }, environment);
  await using client = createSecretsClient(connection);
  try {
    const { secret } = await client.call({}, (service) => service.getSecret({ id: { name: "n" } }));
    return secret?.id?.name ?? "no secret";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test("a client goes by the proxy that the environment names, where Node is told to: over HTTP, and by a tunnel over HTTPS", async () => {
  const proxy = await startProxy();
  const plain = await listening(createServer(handler));
  const { cert, key } = await createCertificate();
  const secure = await listening(createSecureServer({ cert, key }, handler));
  const variables = { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: proxy.url, https_proxy: proxy.url, NO_PROXY: "127.0.0.1" };
  expect(await call(`http://secrets.test:${plain}`, variables)).toBe("n");
  expect(await call(`https://secrets.test:${secure}`, variables)).toBe("n");
  expect(new Set(proxy.seen)).toEqual(new Set([`POST secrets.test:${plain}`, `CONNECT secrets.test:${secure}`]));

  proxy.seen.length = 0;
  expect(await call(`http://127.0.0.1:${plain}`, variables)).toBe("n");
  const { NODE_USE_ENV_PROXY: _, ...untold } = variables;
  expect(await call(`http://secrets.test:${plain}`, untold)).toContain("secrets.test");
  expect(proxy.seen).toEqual([]);
});
