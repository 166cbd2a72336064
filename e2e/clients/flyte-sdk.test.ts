import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FLYTE_SETUPS, flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-sdk-7d33";

for (const { version, auth } of FLYTE_SETUPS) {
  describeWith(requireFlyte(version), `flyte ${version}, flyte.remote.Secret against serve --auth ${auth}`, () => {
    let server: FlyteServer;
    beforeAll(async () => {
      server = await startFlyteServer(auth);
    });
    afterAll(async () => {
      expect(server.serve.output()).not.toContain(CANARY);
      expect(await server.close()).toEqual({ exitCode: 0 });
    });

    it("creates text and bytes, gets, deletes, and pages through 250 secrets by 20 without loss or repetition", async () => {
      const script = join(import.meta.dirname, "flyte_sdk.py");
      const result = await runProgram(flytePythonOf(version), [script, server.configFile, CANARY], {
        env: { HOME: server.home },
        cwd: server.home,
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
