import { PassThrough } from "node:stream";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, it, onTestFinished } from "vitest";
import { createOutput } from "../output.ts";
import { useCliHome } from "../testing/use-cli-home.ts";
import { createMcpServer } from "./mcp-server.ts";

const at = useCliHome();

/** A server in this process, which waits for nobody, and the pages that it has had shown. */
async function connect() {
  const silent = createOutput(new PassThrough());
  const cli = {
    env: at.env,
    stdin: new PassThrough(),
    stdout: silent,
    stderr: silent,
    home: at.home,
    cwd: at.home,
    nodeVersion: process.versions.node,
    interruption: () => new AbortController().signal,
    relaySignals: () => () => {},
  };
  const { server, close } = createMcpServer({ local: true }, { cli, carryOut: async () => 1, waitMs: 1 });
  const client = new Client({ name: "test", version: "1" }, { capabilities: { elicitation: { url: {} } } });
  const urls: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    if (params.mode === "url") urls.push(params.url);
    return { action: "accept" };
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  onTestFinished(async () => {
    await close();
    await client.close();
  });
  const ask = async (name: string) =>
    (await client.callTool({ name: "request_secret", arguments: { name } })).structuredContent;
  return { ask, urls, close };
}

async function enter(url: string): Promise<void> {
  const cookie = (await fetch(url)).headers.get("set-cookie")?.split(";")[0] ?? "";
  const headers = { cookie, origin: new URL(url).origin };
  await fetch(url, { method: "POST", headers, body: new URLSearchParams({ value: "value-of-this-test" }) });
}

const status = (name: string) => ({ result: { status: name } });

it("a call does not wait for long, and another one for the same secret has no second page shown", async () => {
  const { ask, urls } = await connect();
  const waiting = { ok: true, ...status("waiting") };
  expect(await Promise.all([ask("new-key"), ask("new-key")])).toMatchObject([waiting, waiting]);
  expect(await ask("new-key")).toMatchObject(waiting);
  await expect.poll(() => urls).toHaveLength(1);
  await enter(urls[0] ?? "");
  await expect.poll(() => at.kept("new-key")).toBe("value-of-this-test");
  // What is asked for anew is shown anew.
  await expect.poll(async () => [await ask("new-key"), urls.length]).toEqual([expect.anything(), 2]);
});

it("no more than four pages are open at a time, and none when the server is closed", async () => {
  const { ask, urls, close } = await connect();
  for (const name of ["a", "b", "c", "d"]) expect(await ask(name)).toMatchObject(status("waiting"));
  expect(await ask("e")).toMatchObject({
    ok: false,
    messages: ["4 secrets are being asked for already; wait for one of them"],
  });
  await expect.poll(() => urls).toHaveLength(4);
  await close();
  for (const url of urls) await expect(fetch(url)).rejects.toThrow();
});
