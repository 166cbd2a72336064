import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { serveWithMyRoutes } from "../testing/own-server.ts";
import { send } from "../testing/send.ts";

test("the example in the documentation serves secrets beside routes of one's own", async () => {
  const directory = await mkdtemp(join(tmpdir(), "flyte-secrets-own-server-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { port, stop } = await serveWithMyRoutes(directory, "t0ken");
  const url = `http://127.0.0.1:${port}`;
  expect((await send(`${url}/hello`)).body.toString()).toBe("my own route\n");
  expect((await send(`${url}/readyz`)).body.toString()).toBe("OK");
  expect((await send(`${url}/secrets/api/v1`)).status).toBe(401);
  expect((await send(`${url}/secrets/api/v1`, { headers: { authorization: "Bearer t0ken" } })).status).toBe(200);
  await stop();
});

test("the example in the documentation is the one that is tested", () => {
  const here = import.meta.dirname;
  const example = readFileSync(join(here, "../testing/own-server.ts"), "utf8").replace(
    "../secret-service.ts",
    "@flyte-secrets/service",
  );
  expect(readFileSync(join(here, "../../../../docs/service.md"), "utf8")).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
});
