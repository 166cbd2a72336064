import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn as spawnTerminal } from "@lydell/node-pty";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FLYTE_CLI, FLYTE_SETUPS, flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-cli-20e7";

for (const { version, auth } of FLYTE_SETUPS) {
  const flytePython = flytePythonOf(version);

  describeWith(requireFlyte(version), `flyte ${version}, its command against serve --auth ${auth}`, () => {
    let server: FlyteServer;
    beforeAll(async () => {
      server = await startFlyteServer(auth);
    });
    afterAll(async () => {
      expect(server.serve.output()).not.toContain(CANARY);
      expect(await server.close()).toEqual({ exitCode: 0 });
    });

    const env = () => ({ HOME: server.home, COLUMNS: "250", NO_COLOR: "1", TERM: "dumb" });
    const run = (...args: string[]) => runProgram(flytePython, [FLYTE_CLI, ...args], { env: env(), cwd: server.home });
    const listed = async (...args: string[]) =>
      JSON.parse((await run("-of", "json-raw", "get", "secret", ...args)).stdout).map(
        (s: { id: { name: string } }) => s.id.name,
      );

    // What Flyte calls JSON for a single secret is a Python literal.
    async function getOne(name: string): Promise<unknown> {
      const toJson = "import ast, json, sys; json.dump(ast.literal_eval(sys.stdin.read()), sys.stdout)";
      const { stdout } = await run("get", "secret", name);
      return JSON.parse((await runProgram(flytePython, ["-c", toJson], { input: stdout })).stdout);
    }

    it("creates from --value and from a file, and a second create fails with the words its users know", async () => {
      const created = await run("create", "secret", "by-value", "--value", CANARY);
      expect(created).toMatchObject({ exitCode: 0 });
      const file = join(server.home, "value.bin");
      writeFileSync(file, Buffer.from([0, 255, 10, 13]));
      expect(await run("create", "secret", "by-file", "--from-file", file)).toMatchObject({ exitCode: 0 });
      const scope = ["--project", "p", "--domain", "development"];
      expect(await run("create", "secret", "scoped", "--value", CANARY, ...scope)).toMatchObject({ exitCode: 0 });

      const again = await run("create", "secret", "by-value", "--value", CANARY);
      expect(again.exitCode).toBe(1);
      expect(again.stdout + again.stderr).toContain("Resource already exists.");
    });

    it("creates from its prompt", async () => {
      const terminal = spawnTerminal(flytePython, [FLYTE_CLI, "create", "secret", "by-prompt"], {
        cwd: server.home,
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
      const docker = join(server.home, "docker.json");
      writeFileSync(docker, JSON.stringify({ auths: { "registry.example": { auth: btoa(`u:${CANARY}`) } } }));
      const from = ["--from-docker-config", "--docker-config-path", docker];
      expect(await run("create", "secret", "pull-docker", ...image, ...from)).toMatchObject({ exitCode: 0 });
      const some = ["--registries", "registry.example"];
      expect(await run("create", "secret", "pull-some", ...image, ...from, ...some)).toMatchObject({ exitCode: 0 });
      expect(await getOne("pull")).toMatchObject([
        { id: { name: "pull" }, secretMetadata: { type: "SECRET_TYPE_IMAGE_PULL_SECRET" } },
      ]);
    });

    it("gets one as JSON, and all as a table and as JSON, by scope", async () => {
      expect(await getOne("by-value")).toMatchObject([
        { id: { name: "by-value" }, secretMetadata: { secretStatus: { overallStatus: "FULLY_PRESENT" } } },
      ]);
      expect(await listed()).toEqual([
        "by-file",
        "by-prompt",
        "by-value",
        "pull",
        "pull-docker",
        "pull-some",
        "scoped",
      ]);
      expect(await listed("--project", "p", "--domain", "development")).toEqual(["scoped"]);
      const table = await run("-of", "table", "get", "secret");
      expect(table.exitCode).toBe(0);
      expect(table.stdout).toContain("by-prompt");
    });

    it("takes a cluster pool for what it is here, since one service serves all: the global scope", async () => {
      const pool = ["--cluster-pool", "gpu"];
      const created = await run("create", "secret", "by-pool", "--value", CANARY, ...pool);
      expect(created, created.stderr).toMatchObject({ exitCode: 0 });
      expect(await getOne("by-pool")).toMatchObject([{ id: { name: "by-pool" } }]);
      const deleted = await run("delete", "secret", "by-pool", ...pool);
      expect(deleted, deleted.stderr).toMatchObject({ exitCode: 0 });
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
