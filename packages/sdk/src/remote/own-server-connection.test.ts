import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createOwnServerAgent } from "./own-server-connection.ts";

test("many requests, some at a time, share connections, and none of these is kept", async () => {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-agent-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  let connections = 0;
  const closed: Promise<unknown>[] = [];
  const server = createServer((_, res) => res.end("answer")).on("connection", (socket) => {
    connections++;
    closed.push(once(socket, "close"));
  });
  await once(server.listen(join(directory, "server.sock")), "listening");
  onTestFinished(() => void server.close());
  const agent = createOwnServerAgent({ kind: "socket", directory });
  const ask = async () => {
    const answer: IncomingMessage = (await once(request({ agent, path: "/" }).end(), "response"))[0];
    await once(answer.resume(), "end");
  };
  let left = 1_000;
  const work = async () => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: 32 }, work));
  // Those that begin before any connection is open have one of their own.
  expect(connections).toBeLessThan(100);
  await Promise.all(closed);
});
