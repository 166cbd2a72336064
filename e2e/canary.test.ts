import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ProgramResult, runProgram } from "./support/run-program.ts";

const COMMAND = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
const TASKS = join(import.meta.dirname, "../packages/cli/testdata/run/secrets.mjs");
const LEVELS = ["0", "error", "warn", "info", "debug"] as const;

// Random, so that no file of the checkout has it.
const canary = `canary-${randomBytes(12).toString("hex")}`;
const forms = [canary, Buffer.from(canary).toString("base64").replace(/=+$/, ""), Buffer.from(canary).toString("hex")];

/** Which of the texts have the canary in any form. */
function leaks(texts: Readonly<Record<string, string | Buffer>>): string[] {
  return Object.keys(texts).filter((name) => forms.some((form) => texts[name]?.includes(form)));
}

/** Arguments and environment of every process there is now. */
function processes(): Record<string, Buffer> {
  const found: Record<string, Buffer> = {};
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    for (const file of ["cmdline", "environ"]) {
      try {
        found[`${pid}/${file}`] = readFileSync(`/proc/${pid}/${file}`);
      } catch {
        // It has ended since.
      }
    }
  }
  return found;
}

for (const level of LEVELS) {
  describe(`a secret's whole life with logger.level ${level}`, () => {
    let serve: ServeProcess;
    const printed: Record<string, string> = {};
    const seen: string[] = [];
    beforeAll(async () => {
      serve = await startServe({ args: ["--logger.level", level] });
    });
    afterAll(async () => {
      await serve.close();
    });

    async function command(args: string[], input = ""): Promise<ProgramResult> {
      const result = runProgram(process.execPath, [COMMAND, ...args], { env: serve.env, cwd: serve.directory, input });
      const looking = setInterval(() => seen.push(...leaks(processes())), 20);
      try {
        const { stdout, stderr } = await result;
        printed[args.join(" ")] = stdout + stderr;
        return await result;
      } finally {
        clearInterval(looking);
      }
    }
    const succeed = async (args: string[], input?: string) =>
      expect(await command(args, input)).toMatchObject({ exitCode: 0 });
    const fail = async (args: string[], input?: string) =>
      expect((await command(args, input)).exitCode, args.join(" ")).not.toBe(0);

    it("shows the value nowhere but to the task", async () => {
      const scope = ["-p", "flytesnacks", "-d", "development"];
      await succeed(["create", "secret", "api-key", ...scope, "--from-file", "-"], canary);
      await fail(["create", "secret", "api-key", ...scope, "--from-file", "-"], canary);
      await fail(["create", "secret", "bad.name", "--from-file", "-"], canary);
      await fail(["create", "secret", "pull", "--type", "image_pull", "--from-file", "-"], canary);
      await succeed(["update", "secret", "api-key", ...scope, "--from-file", "-"], `${canary}-2`);
      await succeed(["get", "secret"]);
      await succeed(["get", "secret", "api-key", ...scope, "-of", "json-raw"]);
      await succeed(["explain", "api-key", ...scope]);
      await succeed(["doctor"]);
      await succeed(["run", TASKS, "printing"]);
      const file = join(serve.directory, "import.env");
      writeFileSync(file, `OTHER=${canary}\n`, { mode: 0o600 });
      await succeed(["import", file]);
      await succeed(["export"]);
      await succeed(["backup", join(serve.directory, "copy.db")]);
      await succeed(["keys", "rotate"]);
      await succeed(["delete", "secret", "api-key", ...scope, "--yes"]);

      // Bodies that no client of ours would send.
      const post = (body: string, type: string) =>
        fetch(`${serve.endpoint}/flyteidl2.secret.SecretService/CreateSecret`, {
          method: "POST",
          headers: { "content-type": type, authorization: `Bearer ${serve.token}` },
          body,
        }).then((answer) => answer.text());
      printed["broken JSON"] = await post(`{"secretSpec":{"stringValue":"${canary}`, "application/json");
      printed["wrong type"] = await post(`{"secretSpec":{"stringValue":["${canary}"]}}`, "application/json");
      printed["no protobuf"] = await post(canary, "application/proto");

      // The search finds what is there.
      expect(leaks({ file: readFileSync(file), ...printed })).toEqual(["file"]);
      expect(leaks({ log: serve.output() })).toEqual([]);
      const data = readdirSync(serve.directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== "import.env")
        .map((entry) => join(entry.parentPath, entry.name));
      expect(leaks(Object.fromEntries(data.map((path) => [path, readFileSync(path)])))).toEqual([]);
      expect(data.length).toBeGreaterThan(4);
      // The task has it in its environment, and nobody else has.
      expect([...new Set(seen)].every((place) => place.endsWith("/environ"))).toBe(true);
      expect(new Set(seen).size).toBeLessThanOrEqual(1);
    });
  });
}
