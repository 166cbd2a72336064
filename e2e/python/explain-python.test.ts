// The command on files of Flyte's own SDKs.
import { join } from "node:path";
import { expect, it } from "vitest";
import { useLocalHome } from "../support/local-home.ts";
import { describeWith } from "../support/requirement.ts";
import { FLYTE_ENDS, FLYTEKIT_ENDS } from "../tasks/python-sdks.ts";

const [flyte, flytekit] = [FLYTE_ENDS, FLYTEKIT_ENDS].map(([newest]) => newest);
if (flyte === undefined || flytekit === undefined) throw new Error("no SDK");

describeWith(flyte.require(), `${flyte.title}: explain`, () => {
  const home = useLocalHome();

  it("shows where the secrets of a task are found, and names the tasks of a file", async () => {
    const file = join(import.meta.dirname, "flyte_calls.py");
    await home.run(["create", "secret", "page-key", "--from-file", "-", "--local", "--domain", "development"]);
    const found = await home.run(["explain", file, "page", "--python", flyte.python, "-o", "json"]);
    expect(found).toMatchObject({ exitCode: 0, stderr: "" });
    expect(JSON.parse(found.stdout)).toMatchObject([
      { object: "task page", request: { key: "page-key", mountRequirement: "FILE" } },
    ]);
    const missing = await home.run(["explain", file, "main"], { env: { VIRTUAL_ENV: join(flyte.programs, "..") } });
    expect(missing.exitCode).toBe(1);
    expect(missing.stderr).toContain('error: task "main": secret "middle-key" was not found');
    const unnamed = await home.run(["explain", "flyte_calls.py", "--python", flyte.python], {
      cwd: import.meta.dirname,
    });
    expect(unnamed).toMatchObject({ exitCode: 2, stdout: "" });
    expect(unnamed.stderr).toContain("    flyte-secrets explain flyte_calls.py main\n");
  });
});

describeWith(flytekit.require(), `${flytekit.title}: explain`, () => {
  const home = useLocalHome();

  it("shows the tasks that a workflow calls, and no others", async () => {
    const file = join(import.meta.dirname, "flytekit_calls.py");
    await home.create("--local");
    const { exitCode, stdout } = await home.run(["explain", file, "inner", "--python", flytekit.python, "-o", "json"]);
    expect(exitCode).toBe(1);
    const explained: { object: string }[] = JSON.parse(stdout);
    expect(explained.map(({ object }) => object)).toEqual(["task then", "task otherwise"]);
  });
});
