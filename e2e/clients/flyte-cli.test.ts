import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { spawn as spawnTerminal } from "@lydell/node-pty";
import { afterAll, beforeAll, expect, it } from "vitest";
import { flytePrograms, requireFlyte } from "../support/flyte-python.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-cli-20e7";
const flyte = requireFlyte();

for (const auth of ["none", "token"] as const) {
  describeWith(flyte, `Flyte's own CLI against serve --auth ${auth}`, () => {
    let serve: ServeProcess;
    let home: string;
    beforeAll(async () => {
      serve = await startServe({ args: ["--auth", auth] });
      home = mkdtempSync(join(tmpdir(), "flyte-cli-"));
      // Over plain HTTP Flyte's client sends a token only as the output of proxyCommand, in proxy-authorization.
      const token = auth === "token" ? `\n  proxyCommand: [cat, ${join(serve.directory, "store/token")}]` : "";
      const admin = `admin:\n  endpoint: dns:///127.0.0.1:${serve.port}\n  insecure: true${token}\n`;
      writeFileSync(join(home, "config.yaml"), `${admin}task:\n  org: testorg\n  project: p\n  domain: development\n`);
    });
    afterAll(async () => {
      rmSync(home, { recursive: true });
      expect(serve.output()).not.toContain(CANARY);
      expect(await serve.close()).toEqual({ exitCode: 0 });
    });

    const env = () => ({ HOME: home, COLUMNS: "250", NO_COLOR: "1", TERM: "dumb" });
    const run = (...args: string[]) => runProgram(flytePrograms.flyte, args, { env: env(), cwd: home });
    const listed = async (...args: string[]) =>
      JSON.parse((await run("-of", "json", "get", "secret", ...args)).stdout).map((s: { name: string }) => s.name);

    it("creates from --value and from a file, and a second create fails with the words its users know", async () => {
      const created = await run("create", "secret", "by-value", "--value", CANARY);
      expect(created).toMatchObject({ exitCode: 0 });
      const file = join(home, "value.bin");
      writeFileSync(file, Buffer.from([0, 255, 10, 13]));
      expect(await run("create", "secret", "by-file", "--from-file", file)).toMatchObject({ exitCode: 0 });
      const scope = ["--project", "p", "--domain", "development"];
      expect(await run("create", "secret", "scoped", "--value", CANARY, ...scope)).toMatchObject({ exitCode: 0 });

      const again = await run("create", "secret", "by-value", "--value", CANARY);
      expect(again.exitCode).toBe(1);
      expect(again.stdout + again.stderr).toContain("Resource already exists.");
    });

    it("creates from its prompt", async () => {
      const terminal = spawnTerminal(flytePrograms.flyte, ["create", "secret", "by-prompt"], {
        cwd: home,
        env: { ...env(), PATH: process.env.PATH ?? "" },
      });
      let screen = "";
      let answered = false;
      terminal.onData((data) => {
        screen += data;
        if (!answered && screen.includes(":")) {
          answered = true;
          terminal.write(`${CANARY}\r`);
        }
      });
      const exitCode = await new Promise((resolve) => terminal.onExit((event) => resolve(event.exitCode)));
      expect({ exitCode, screen }).toMatchObject({ exitCode: 0 });
      expect(screen).not.toContain(CANARY);
    });

    it("creates image-pull secrets from credentials and from a Docker configuration", async () => {
      const image = ["--type", "image_pull"];
      const explicit = ["--registry", "registry.example", "--username", "u", "--password", CANARY];
      expect(await run("create", "secret", "pull", ...image, ...explicit)).toMatchObject({ exitCode: 0 });
      const docker = join(home, "docker.json");
      writeFileSync(docker, JSON.stringify({ auths: { "registry.example": { auth: btoa(`u:${CANARY}`) } } }));
      const from = ["--from-docker-config", "--docker-config-path", docker];
      expect(await run("create", "secret", "pull-docker", ...image, ...from)).toMatchObject({ exitCode: 0 });
      const one = JSON.parse((await run("get", "secret", "pull")).stdout);
      expect(one).toMatchObject([{ name: "pull", type: "image_pull", status: "FULLY_PRESENT" }]);
    });

    it("gets one as JSON, and all as a table and as JSON, by scope", async () => {
      const one = JSON.parse((await run("get", "secret", "by-value")).stdout);
      expect(one).toMatchObject([
        { project: "-", domain: "-", name: "by-value", type: "regular", status: "FULLY_PRESENT" },
      ]);
      expect(await listed()).toEqual(["by-file", "by-prompt", "by-value", "pull", "pull-docker", "scoped"]);
      expect(await listed("--project", "p", "--domain", "development")).toEqual(["scoped"]);
      const table = await run("-of", "table", "get", "secret");
      expect(table.exitCode).toBe(0);
      expect(table.stdout).toContain("by-prompt");
    });

    it("deletes, and says NOT FOUND for what isn't there", async () => {
      expect(await run("delete", "secret", "by-value")).toMatchObject({ exitCode: 0 });
      for (const command of ["get", "delete"]) {
        const missing = await run(command, "secret", "by-value");
        expect(missing.exitCode).toBe(1);
        expect(missing.stdout + missing.stderr).toContain("Requested object NOT FOUND");
        expect(missing.stdout + missing.stderr).toContain("secret by-value not found");
      }
    });

    it("is told which rule a bad name breaks", async () => {
      const refused = await run("create", "secret", "bad.name", "--value", CANARY);
      expect(refused.exitCode).toBe(1);
      expect(refused.stdout + refused.stderr).toContain("Invalid argument provided");
      expect(refused.stdout + refused.stderr).toContain("name");
    });
  });
}
