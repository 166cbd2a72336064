import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import { createSecretsClient, resolveConnection, Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { expect, it } from "vitest";
import { useCliHome } from "../testing/use-cli-home.ts";
import { openOwnStoreClient } from "./open-client.ts";

const at = useCliHome();
const scope = { project: "shop", domain: "dev" };
const config = () => loadConfig({ files: [], env: at.env, flags: {}, home: at.home, cwd: at.home });
const openOwn = (mayCreateStore = true) => openOwnStoreClient(config(), { ...scope, mayCreateStore });

/** What each call of a fixed list answers or throws, without times. */
async function answers(client: SecretsClient): Promise<unknown[]> {
  const given: unknown[] = [];
  const ask = async (call: () => Promise<unknown>) => {
    const answer = await call().catch((error: unknown) =>
      isSecretsError(error) ? [error.code, error.message] : error,
    );
    given.push(JSON.parse(JSON.stringify(answer ?? "done").replaceAll(/\d{4}-\d\d-\d\dT[^"]*Z/g, "TIME")));
  };
  const list = async (limit = 2) => {
    const secrets = [];
    for await (const secret of Secret.listall({ client, limit })) secrets.push(secret);
    return secrets;
  };
  await ask(() => Secret.get("api-key", { client }));
  await ask(() => Secret.create({ client, name: "api-key", value: "one" }));
  await ask(() => Secret.create({ client, name: "api-key", value: "two" }));
  await ask(() => Secret.create({ client, name: "b", value: Uint8Array.of(0, 255) }));
  await ask(() => Secret.create({ client, name: "c", value: "" }));
  await ask(() => Secret.create({ client, name: "a b", value: "x" }));
  await ask(() => Secret.create({ client, name: "large", value: "x".repeat(2 << 20) }));
  await ask(() => Secret.create({ client, name: "pull", value: "{}", type: "image_pull" }));
  await ask(() => Secret.update({ client, name: "none", value: "x" }));
  await ask(() => Secret.update({ client, name: "b", value: "x" }));
  await ask(() => Secret.get("b", { client }));
  await ask(list);
  await ask(() => list(-1));
  await ask(() => Secret.delete("none", { client }));
  await ask(() => Secret.delete("b", { client, signal: AbortSignal.abort() }));
  await ask(() => Secret.delete("b", { client }));
  await ask(list);
  return given;
}

it("answers every call as a server on the store does, and makes the store, private", async () => {
  await using own = await openOwn();
  const here = await answers(own);
  expect(await at.kept("api-key", "dev", "shop")).toBe("one");
  expect(
    [at.store, join(at.store, "store.db"), join(at.store, "master.key")].map((p) => statSync(p).mode & 0o777),
  ).toEqual([0o700, 0o600, 0o600]);
  for (const name of ["api-key", "c"]) await Secret.delete(name, { client: own });

  await using _server = await at.serve();
  const surroundings = { variables: at.env, home: at.home, cwd: at.home };
  await using served = createSecretsClient(await resolveConnection(scope, surroundings));
  expect(here).toEqual(await answers(served));
});

it("makes no store where it may not", async () => {
  await expect(openOwn(false)).rejects.toThrow(
    `no store in ${at.store} yet; flyte-secrets create secret NAME makes one`,
  );
  expect(existsSync(at.store)).toBe(false);
});

it("writes what a process that has the store open hears of at once", async () => {
  await at.keep({ other: "x" });
  await using watching = await openEmbeddedStore({ directory: at.store }).then((store) => ({
    store,
    [Symbol.asyncDispose]: () => store.close(),
  }));
  const { promise: heard, resolve } = Promise.withResolvers<unknown>();
  watching.store.watch(resolve);
  await using own = await openOwn(false);
  await Secret.create({ client: own, name: "api-key", value: "canary-own-store" });
  expect(await heard).toEqual({ kind: "put", id: { org: "flyte", ...scope, name: "api-key" } });
  expect(readFileSync(join(at.store, "store.db")).includes("canary-own-store")).toBe(false);
});
