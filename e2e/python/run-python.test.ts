// `run` and `exec --from` on files of Flyte's own SDKs, which execute the tasks.
import { join } from "node:path";
import { expect, it } from "vitest";
import { CANARY, type LocalHome, useLocalHome } from "../support/local-home.ts";
import { describeWith } from "../support/requirement.ts";
import { FLYTE_ENDS, FLYTEKIT_ENDS, type PythonSdk } from "../tasks/python-sdks.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/python");

/** As in a shell in which the SDK's environment is active; its files are left as they are. */
const activeIn = ({ programs }: PythonSdk, cwd: string) => ({
  cwd,
  env: {
    VIRTUAL_ENV: join(programs, ".."),
    PATH: process.env.PATH ?? "",
    PYTHONDONTWRITEBYTECODE: "1",
    COLUMNS: "200",
  },
});

/** Secrets of these names with the canary. */
async function keep(home: LocalHome, ...names: readonly string[]): Promise<void> {
  for (const name of names) await home.run(["create", "secret", name, "--from-file", "-", "--local"]);
}

for (const sdk of FLYTE_ENDS) {
  describeWith(sdk.require(), `${sdk.title}: run`, () => {
    const home = useLocalHome();
    const characters = `${CANARY.length} characters`;

    it("gives a task its secret and its inputs", async () => {
      await keep(home, "openai-key");
      const { exitCode, stdout } = await home.run(["run", "hello.py", "main", "--name", "-p"], activeIn(sdk, EXAMPLES));
      expect(stdout).toContain(`Hello -p, with a key of ${characters}`);
      expect(exitCode).toBe(0);
    });

    it("gives a task that calls those of other environments what they ask for, too", async () => {
      await keep(home, "openai-key", "password");
      const args = ["run", "-v", "-d", "staging", "pipeline.py", "main", "--rows", "3"];
      const { exitCode, stdout, stderr } = await home.run(args, activeIn(sdk, EXAMPLES));
      expect(stdout).toContain(`3 rows, and a key of ${characters}`);
      expect(stderr).toContain("main: openai-key from global scope\nmain: password from global scope\n");
      expect(exitCode).toBe(0);
    });

    it("masks what a task prints, gives it no secret of others, and has its exit code", async () => {
      await keep(home, "stripe-key", "not-there");
      const here = activeIn(sdk, import.meta.dirname);
      const leaked = await home.run(["run", "leaking.py", "leak", "--verbose"], here);
      expect(leaked).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("printed *** False") });
      const failed = await home.run(["run", "leaking.py", "fail"], here);
      expect(failed.exitCode).toBe(1);
      for (const { stdout, stderr } of [leaked, failed]) expect(stdout + stderr).not.toContain(CANARY);
    });

    it("says what is missing before anything runs, and which tasks there are", async () => {
      await keep(home, "stripe-key");
      const here = activeIn(sdk, import.meta.dirname);
      const missing = await home.run(["run", "leaking.py", "lacks"], here);
      expect(missing).toMatchObject({ exitCode: 1, stdout: "" });
      expect(missing.stderr).toContain('error: secret "not-there" was not found\n');
      const unknown = await home.run(["run", "leaking.py", "laek"], here);
      expect(unknown.stderr).toBe('error: leaking.py has no task or workflow "laek"; it has leak, fail, lacks\n');
    });

    it("has files where Flyte's guide opens them", async () => {
      await keep(home, "certificate");
      const { stdout } = await home.run(["run", "flyte_guide.py", "read"], activeIn(sdk, import.meta.dirname));
      expect(stdout).toContain(`found ${CANARY.length} bytes`);
    });

    it("gives any program what a task asks for, and what all tasks of a file ask for", async () => {
      await keep(home, "openai-key", "password");
      const exec = (from: string) =>
        home.run(
          ["exec", "--from", from, "--", "sh", "-c", 'printf "$OPENAI_KEY" | wc -c; printf "$PGPASSWORD" | wc -c'],
          activeIn(sdk, EXAMPLES),
        );
      const length = CANARY.length;
      expect(await exec("pipeline.py:count")).toMatchObject({ exitCode: 0, stdout: `0\n${length}\n` });
      expect(await exec("pipeline.py")).toMatchObject({ exitCode: 0, stdout: `${length}\n${length}\n` });
    });
  });
}

for (const sdk of FLYTEKIT_ENDS) {
  describeWith(sdk.require(), `${sdk.title}: run`, () => {
    const home = useLocalHome();

    it("gives a workflow's tasks their variables and files", async () => {
      await keep(home, "password", "certificate");
      const args = ["run", "report.py", "main", "--day", "monday"];
      const { exitCode, stdout } = await home.run(args, activeIn(sdk, EXAMPLES));
      const length = CANARY.length;
      expect(stdout).toContain(`Sent: monday, with a password of ${length} characters and a certificate of ${length}`);
      expect(exitCode).toBe(0);
    });

    it("has files at their path in a pod", async () => {
      await keep(home, "certificate");
      const { stdout } = await home.run(["run", "flytekit_guide.py", "read"], activeIn(sdk, import.meta.dirname));
      expect(stdout).toContain(`found ${CANARY.length} bytes`);
    });
  });
}
