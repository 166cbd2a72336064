import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { callCli } from "../testing/call-cli.ts";
import { failure, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const pipe = (input: string, ...args: string[]) => callCli({ args, env: at.env, cwd: at.home, input });

it("create, get, update, import and delete work on this user's store without a server, in the words that a server has", async () => {
  const scope = ["-p", "shop", "-d", "dev"];
  expect(await pipe("one", "create", "secret", "api-key", ...scope, "--from-file", "-")).toMatchObject({
    exitCode: 0,
    stdout: "Created secret api-key (project shop, domain dev).\n",
  });
  expect(await at.kept("api-key", "dev", "shop")).toBe("one");
  expect((await pipe("x", "create", "secret", "api-key", ...scope, "--from-file", "-")).stderr).toMatch(
    /^error: secret api-key already exists/,
  );
  expect(await pipe("two", "update", "secret", "api-key", ...scope, "--from-file", "-")).toMatchObject({ exitCode: 0 });
  writeFileSync(join(at.home, "more.env"), "A=1\nB=2\n");
  expect(await at.call("import", "more.env", ...scope)).toMatchObject({ exitCode: 0 });
  const listed = JSON.parse((await at.call("get", "secret", "-o", "json")).stdout);
  expect(listed.map((secret: { id: { name: string } }) => secret.id.name)).toEqual(["A", "B", "api-key"]);
  expect(await at.call("delete", "secret", "A", ...scope)).toMatchObject({ exitCode: 0 });
  expect((await at.call("get", "secret", "A", ...scope)).stderr).toMatch(/^error: secret A not found/);

  // A server on the store has all of it, and hears of what is written beside it.
  await using _server = await at.serve();
  expect(JSON.parse((await at.call("get", "secret", "-o", "json")).stdout)).toEqual(listed.slice(1));
});

it("a store that cannot be opened is told as everywhere", async () => {
  await at.keep({ a: "x" });
  writeFileSync(join(at.store, "master.key"), `${Buffer.alloc(32).toString("base64")}\n`, { mode: 0o600 });
  const { exitCode, stderr } = await at.call("get", "secret");
  expect([exitCode, stderr]).toEqual([1, (await at.call("export")).stderr]);
  expect(stderr).toMatch(/^error: /);
});

it("where secrets are kept in Kubernetes, a server has to be named", async () => {
  at.env.SECRET_STORE_TYPE = "Kubernetes";
  expect(await at.call("get", "secret")).toEqual(
    failure(
      1,
      "the configuration keeps secrets in Kubernetes, and no server is named. Name one: " +
        "--endpoint, FLYTE_ENDPOINT, or admin.endpoint in ~/.flyte/config.yaml",
    ),
  );
});
