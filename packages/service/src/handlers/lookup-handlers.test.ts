import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { SecretValue } from "@flyte-secrets/core";
import { LookupService, ValueForm } from "@flyte-secrets/idl";
import { expect, test } from "vitest";
import { send } from "../testing/send.ts";
import { startTestService } from "../testing/start-test-service.ts";

const CANARY = "canary-of-a-value";
const ID = { org: "flyte", project: "", domain: "" };

async function start(config = {}) {
  const { url, store, log } = await startTestService({ config });
  const keep = async (name: string, value: string | Uint8Array, scope = {}) => {
    const bytes = typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value);
    await store.create({ ...ID, ...scope, name }, { type: "generic", value: bytes });
  };
  const client = createClient(LookupService, createGrpcTransport({ baseUrl: url, idleConnectionTimeoutMs: 100 }));
  const find = async (keys: string[], scope: object = { project: "shop", domain: "dev" }) => {
    const { secrets } = await client.lookupSecrets({ ...scope, keys });
    return secrets.map(({ key, domain, project, form }) => [key, domain, project, ValueForm[form]]);
  };
  return { url, keep, find, log };
}

test("each key is found at the narrowest scope that has it, and those that nothing has are left out", async () => {
  const { keep, find, log } = await start();
  await keep("everywhere", CANARY, { project: "shop", domain: "dev" });
  await keep("everywhere", CANARY, { domain: "dev" });
  await keep("everywhere", CANARY);
  await keep("broad", CANARY, { domain: "dev" });
  await keep("elsewhere", CANARY, { domain: "prod" });
  expect(await find(["everywhere", "none", "broad", "elsewhere"])).toEqual([
    ["everywhere", "dev", "shop", "TEXT"],
    ["broad", "dev", "", "TEXT"],
  ]);
  expect(await find(["everywhere"], { domain: "dev" })).toEqual([["everywhere", "dev", "", "TEXT"]]);
  expect(await find(["everywhere"], {})).toEqual([["everywhere", "", "", "TEXT"]]);
  expect(JSON.stringify(log)).not.toContain(CANARY);
});

test("of a value it is only said whether a variable can have it", async () => {
  const { keep, find } = await start();
  await keep("binary", Uint8Array.of(255, 254));
  await keep("nul", "a\0b");
  await keep("long", "x".repeat(131_072));
  await keep("short", "x".repeat(130_000));
  expect(await find(["binary", "nul", "long", "short"])).toEqual([
    ["binary", "", "", "BINARY"],
    ["nul", "", "", "NUL"],
    ["long", "", "", "LONG"],
    ["short", "", "", "TEXT"],
  ]);
});

test("it is refused without credentials, for too many keys, and for a scope or key that can't be", async () => {
  const { find, url } = await start();
  await expect(find(Array.from({ length: 257 }, () => "a"))).rejects.toThrow("keys: at most 256");
  await expect(find(["a"], { project: "shop" })).rejects.toThrow("project-scoped secrets must also specify a domain");
  await expect(find(["no key"])).rejects.toThrow("key: must be one or more of");
  const path = "/flytesecrets.v1.LookupService/LookupSecrets";
  const post = (at: string, headers = {}) =>
    send(at + path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: ["{}"] });
  expect((await post(url)).body.toString()).toBe("{}");
  const guarded = await start({ auth: { mode: "token", token: "t".repeat(30) } });
  expect((await post(guarded.url)).status).toBe(401);
  expect((await post(guarded.url, { authorization: `Bearer ${"t".repeat(30)}` })).status).toBe(200);
});
