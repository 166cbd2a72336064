// A real browser, with a page of somebody else's open, beside a service that asks for no credentials (H2).
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPage, requireChromium } from "../support/chromium.ts";
import { describeWith } from "../support/requirement.ts";
import { type AttackingSite, startAttackingSite } from "./attacking-site.ts";

const REST = "/secrets/api/v1";
/** In no answer that a page can read. */
const CANARY = "canary-domain";
/** Without asking the server first, a browser sends all but these. */
const ASKED_FOR_FIRST = [
  "write-json",
  "write-json-rpc",
  "write-xhr-json",
  "write-beacon-json",
  "delete-xhr",
  "delete-rpc-json",
];

describeWith(requireChromium(), "a page in a browser, against --auth none", () => {
  let serve: ServeProcess;
  let site: AttackingSite;
  beforeAll(async () => {
    serve = await startServe({ args: ["--auth", "none"] });
    const body = JSON.stringify({ id: { name: "own", domain: CANARY }, secretSpec: { stringValue: "v" } });
    const headers = { "content-type": "application/json" };
    expect((await fetch(serve.endpoint + REST, { method: "POST", headers, body })).status).toBe(200);
    const global = body.replace(`,"domain":"${CANARY}"`, "");
    expect((await fetch(serve.endpoint + REST, { method: "POST", headers, body: global })).status).toBe(200);
    site = await startAttackingSite(serve.endpoint);
  });
  afterAll(async () => {
    await site?.close();
    await serve?.close();
  });

  async function kept(): Promise<string[]> {
    const answer = await fetch(`${serve.endpoint}${REST}`);
    const { secrets } = (await answer.json()) as { secrets: { id: { name: string; domain?: string } }[] };
    return secrets.map(({ id }) => `${id.domain ?? ""}/${id.name}`).sort();
  }

  test.each([
    ["of another site", "evil.test"],
    ["of another port of this machine", "127.0.0.1"],
    ["of another name of this machine", "localhost"],
  ])("H2: a page %s writes, deletes and reads nothing", async (_, host) => {
    const saw = await site.visit(host, serve.endpoint);
    expect(Object.keys(saw).length).toBeGreaterThan(30);
    expect(JSON.stringify(saw)).not.toContain(CANARY);
    expect(Object.values(saw).filter((each) => / 2\d\d |^2\d\d |^read \{/.test(each))).toEqual([]);
    // It gets through to the service, whose health anybody may see.
    expect(saw.health).toBe("opaque 0 ");
    expect(await kept()).toEqual(["/own", `${CANARY}/own`].sort());
  });

  test("H2: a page whose name has come to point to the service is told 403, and reads nothing", async () => {
    const saw = await site.visit("evil.test", "");
    expect(saw).toMatchObject({ health: expect.stringMatching(/^basic 200 /) });
    expect(saw["read-cors"]).toMatch(/^basic 403 .*evil\.test/s);
    for (const name of ["write-json", "write-json-rpc", "delete-rpc-json"]) expect(saw[name]).toMatch(/^basic 403 /);
    expect(saw["delete-xhr"]).toMatch(/^403 /);
    expect(JSON.stringify(saw)).not.toContain(CANARY);
    expect(await kept()).toEqual(["/own", `${CANARY}/own`].sort());
  });

  test("who types the address sees the list", async () => {
    expect((await readPage(`${serve.endpoint}${REST}`)).stdout).toContain(CANARY);
  });

  test("the same page does reach a server that looks at nothing", async () => {
    const reached: string[] = [];
    await using server = createServer(async (req, res) => {
      reached.push(`${req.method} ${req.url} ${await text(req)}`);
      res.end("{}");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const naive = await site.visit("evil.test", `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.closeAllConnections();
    const sent = reached.filter((each) => !each.startsWith("OPTIONS "));
    const attempts = Object.keys(naive).filter((name) => /^(read|write)-/.test(name));
    const missing = attempts.filter((name) => !sent.some((each) => new RegExp(`\\b${name}(?![-\\w])`).test(each)));
    expect(missing.sort()).toEqual(ASKED_FOR_FIRST.filter((name) => name.startsWith("write-")).sort());
    expect(sent.filter((each) => each.includes("DeleteSecret"))).toHaveLength(1);
  });
});
