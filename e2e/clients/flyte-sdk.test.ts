import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { flytePrograms, requireFlyte } from "../support/flyte-python.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-sdk-7d33";
const flyte = requireFlyte();

for (const auth of ["none", "token"] as const) {
  describeWith(flyte, `flyte.remote.Secret against serve --auth ${auth}`, () => {
    let serve: ServeProcess;
    let home: string;
    beforeAll(async () => {
      serve = await startServe({ args: ["--auth", auth] });
      home = mkdtempSync(join(tmpdir(), "flyte-sdk-"));
      const token = auth === "token" ? `\n  proxyCommand: [cat, ${join(serve.directory, "store/token")}]` : "";
      writeFileSync(
        join(home, "config.yaml"),
        `admin:\n  endpoint: dns:///127.0.0.1:${serve.port}\n  insecure: true${token}\n`,
      );
    });
    afterAll(async () => {
      rmSync(home, { recursive: true });
      expect(serve.output()).not.toContain(CANARY);
      expect(await serve.close()).toEqual({ exitCode: 0 });
    });

    it("creates text and bytes, gets, deletes, and pages through 250 secrets by 20 without loss or repetition", async () => {
      const script = join(import.meta.dirname, "flyte_sdk.py");
      const result = await runProgram(flytePrograms.python, [script, join(home, "config.yaml"), CANARY], {
        env: { HOME: home },
        cwd: home,
      });
      expect(result).toMatchObject({ exitCode: 0 });
      expect(result.stdout).not.toContain(CANARY);
      const seen = JSON.parse(result.stdout);
      expect(seen.one).toMatchObject({
        name: "text",
        type: "regular",
        json: { id: { name: "text", project: "p", domain: "development" } },
      });
      expect(seen.duplicate).toMatchObject({ code: "already_exists" });
      expect(seen.missing).toEqual({ code: "not_found", message: "secret nothing not found" });
      expect(seen.missing_delete).toEqual({ code: "not_found", message: "secret nothing not found" });
      const paged = Array.from({ length: 250 }, (_, n) => `paged-${String(n).padStart(3, "0")}`);
      expect(seen.listed).toEqual([...paged, "text"]);
    });
  });
}
