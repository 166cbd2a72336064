// The package in python/: its own checks, and the package with the real command, store, SDKs and Jupyter.
import { execFileSync } from "node:child_process";
import { chmodSync, globSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CANARY, CLI, type LocalHome, useLocalHome } from "../support/local-home.ts";
import { type PythonPackage, pythonProgram, requirePython } from "../support/python-environment.ts";
import { describeWith } from "../support/requirement.ts";
import { type ProgramResult, runProgram } from "../support/run-program.ts";
import { FLYTE_ENDS, FLYTEKIT_ENDS } from "../tasks/python-sdks.ts";

const PACKAGE = join(import.meta.dirname, "../../python");
const EXAMPLES = join(import.meta.dirname, "../../examples/python");
const TOOLS: PythonPackage = {
  name: "pytest",
  version: "9.2.0",
  companions: ["mypy==2.4.1", "ruff==0.17.5", "uv==0.13.8", "nbclient==0.11.0", "ipykernel==7.4.0"],
  program: "pytest",
};
const tool = (name: string) => pythonProgram(TOOLS, name);
const length = CANARY.length;

describeWith(requirePython(TOOLS), "the package in python/", () => {
  it.each([
    ["formatted", "ruff", ["format", "--check", "."]],
    ["linted", "ruff", ["check", "."]],
    ["typed strictly", "mypy", []],
  ])("is %s", async (_, name, args) => {
    const cache = mkdtempSync(join(tmpdir(), "python-cache-"));
    const env = { RUFF_CACHE_DIR: cache, MYPY_CACHE_DIR: cache };
    const { exitCode, stdout, stderr } = await runProgram(tool(name), args, { cwd: PACKAGE, env });
    rmSync(cache, { recursive: true });
    expect(exitCode, stdout + stderr).toBe(0);
  });

  describe("as a wheel", () => {
    /** What `pip install` makes of the wheel, in a directory for `PYTHONPATH`. */
    let installed: string;
    beforeAll(() => {
      installed = mkdtempSync(join(tmpdir(), "python-package-"));
      const built = join(installed, "dist");
      // Built by uv itself, without the network.
      const build = ["build", "--offline", "--wheel", "--sdist", "--quiet", "--out-dir", built, PACKAGE];
      execFileSync(tool("uv"), build, { stdio: "pipe" });
      const [wheel = ""] = globSync("*.whl", { cwd: built });
      const install = [
        "-m",
        "pip",
        "install",
        "--no-index",
        "--no-deps",
        "--no-compile",
        "--quiet",
        "--target",
        installed,
      ];
      execFileSync(tool("python"), [...install, join(built, wheel)], { stdio: "pipe" });
    });
    afterAll(() => rmSync(installed, { recursive: true }));
    const home = useLocalHome();

    /** Runs Python with the package, and with the command on its `PATH`. */
    function run(program: string, args: readonly string[], { cwd = home.path, env = {} } = {}): Promise<ProgramResult> {
      const bin = join(home.path, "bin");
      mkdirSync(bin, { recursive: true });
      writeFileSync(join(bin, "flyte-secrets"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
      chmodSync(join(bin, "flyte-secrets"), 0o755);
      return runProgram(program, args, {
        cwd,
        env: home.environment({
          PATH: `${bin}:${process.env.PATH}`,
          PYTHONPATH: installed,
          PYTHONDONTWRITEBYTECODE: "1",
          COLUMNS: "200",
          ...env,
        }),
      });
    }
    const script = (text: string, options?: { cwd?: string }) => run(tool("python"), ["-c", text], options);

    it("has the modules, the licence and the entry points, and no more", async () => {
      const [wheel = ""] = globSync("dist/*.whl", { cwd: installed });
      const listed = await runProgram(tool("python"), ["-m", "zipfile", "-l", join(installed, wheel)]);
      const files = listed.stdout.split("\n").flatMap((line) => /^(flyte_secrets\S*[^/ ]) /.exec(line)?.[1] ?? []);
      expect(files.sort()).toEqual(
        [
          ...["entry_points.txt", "licenses/LICENSE", "METADATA", "RECORD", "WHEEL"].map(
            (file) => `flyte_secrets-0.1.0.dist-info/${file}`,
          ),
          ...[
            "__init__.py",
            "_command.py",
            "_fake.py",
            "_process.py",
            "flyte_run.py",
            "py.typed",
            "pytest_plugin.py",
          ].map((file) => `flyte_secrets/${file}`),
        ].sort(),
      );
    });

    it("passes its own tests", async () => {
      const { exitCode, stdout } = await run(tool("pytest"), [PACKAGE], { cwd: PACKAGE });
      expect(exitCode, stdout).toBe(0);
    });

    it("gives a process what exec gives a program, to the byte, and takes it away", async () => {
      await keep(home, "openai-key", "password", "certificate");
      const asked = ["-s", "openai-key", "-s", "db/password=PGPASSWORD", "--file", "certificate=CERTIFICATE"];
      const { stdout } = await home.run(["exec", "--no-mask", "--no-mount", ...asked, "--", "env", "-0"]);
      const given = stdout.split("\0").filter((entry) => /^(_UNION_|FLYTE|OPENAI|PG|CERT)/.test(entry));
      const result = await script(`
import os
from flyte_secrets import local_secrets
before = dict(os.environ)
with local_secrets(secrets=["openai-key", "db/password=PGPASSWORD"], files=["certificate=CERTIFICATE"]):
    print(*sorted(f"{n}={v}" for n, v in os.environ.items() if before.get(n) != v), sep="\\0")
    path = os.environ["CERTIFICATE"]
    print(oct(os.stat(path).st_mode), open(path, "rb").read(), path.startswith(os.environ["FLYTE_SECRETS_DEFAULT_DIR"]))
print(dict(os.environ) == before, os.path.exists(os.path.dirname(path)))
`);
      const [variables = "", file, after] = result.stdout.split("\n");
      const withoutDirectory = (entries: readonly string[]) =>
        entries.map((entry) => entry.replace(/flyte-secrets-run-[^/]*/, "")).sort();
      expect(withoutDirectory(variables.split("\0"))).toEqual(withoutDirectory(given));
      expect([file, after, result.stderr]).toEqual([`0o100400 b'${CANARY}' True`, "True False", ""]);
    });

    it("names a missing secret as the command does", async () => {
      await keep(home, "openai-key");
      const { exitCode, stderr } = await script(
        `from flyte_secrets import local_secrets\nwith local_secrets(secrets=["openai-kez"]): pass`,
      );
      expect(exitCode).toBe(1);
      expect(stderr).toContain('LocalSecretsError: secret "openai-kez" was not found\n  Did you mean "openai-key"');
    });

    it("leaves no file when its process is killed", async () => {
      await keep(home, "certificate");
      const text = `
import os
from flyte_secrets import local_secrets
with local_secrets(files=["certificate"]):
    print(os.environ["FLYTE_SECRETS_DEFAULT_DIR"], flush=True)
    os.kill(os.getpid(), 9)
`;
      const { stdout } = await run("sh", ["-c", '"$0" -c "$1"; exit 0', tool("python"), text]);
      const [, name = "none"] = /(flyte-secrets-run-[^/\n]*)/.exec(stdout) ?? [];
      expect(name).not.toBe("none");
      await expect.poll(() => readdirSync("/dev/shm"), { timeout: 60_000 }).not.toContain(name);
    });

    it("gives a test of pytest values of this machine", async () => {
      await keep(home, "openai-key");
      const test = 'def test(flyte_secrets):\n    flyte_secrets.local(secrets=["openai-key"])\n    import os\n';
      writeFileSync(join(home.path, "test_it.py"), `${test}    assert len(os.environ["OPENAI_KEY"]) == ${length}\n`);
      const { exitCode, stdout } = await run(tool("pytest"), ["-p", "no:cacheprovider", "test_it.py"]);
      expect([exitCode, stdout]).toEqual([0, expect.stringContaining("1 passed")]);
    });

    it("works in a notebook, where the block is one cell of several", async () => {
      await keep(home, "openai-key", "certificate");
      writeFileSync(join(home.path, "notebook.py"), NOTEBOOK);
      const { exitCode, stdout, stderr } = await run(tool("python"), ["notebook.py"]);
      expect([exitCode, stdout], stderr).toEqual([0, `${length} True\nFalse False\n`]);
    });

    for (const sdk of FLYTE_ENDS) {
      describeWith(sdk.require(), `with ${sdk.title}`, () => {
        const flyte = (...args: string[]) => run(join(sdk.programs, "flyte"), args, { cwd: EXAMPLES });

        it("gives flyte run --local its secrets, and does not start it without", async () => {
          await keep(home, "other");
          const missing = await flyte("run", "--local", "hello.py", "main", "--name", "you");
          expect([missing.exitCode, missing.stdout]).toEqual([1, ""]);
          expect(missing.stderr).toMatch(
            /^error: secret "openai-key" was not found\n[\s\S]*FLYTE_SECRETS_LOCAL=0 runs it/,
          );
          await keep(home, "openai-key");
          const { exitCode, stdout, stderr } = await flyte("run", "--local", "hello.py", "main", "--name", "you");
          expect(stdout + stderr).toContain(`Hello you, with a key of ${length} characters`);
          expect(exitCode).toBe(0);
        });

        it("gives the tasks of a file what they ask for", async () => {
          await keep(home, "openai-key", "password");
          const text = `
import flyte
from flyte_secrets import local_secrets
with local_secrets("pipeline.py"):
    import pipeline
    flyte.init()
    print(flyte.with_runcontext(mode="local").run(pipeline.main, rows=2).outputs())
`;
          const { stdout, stderr } = await run(sdk.python, ["-c", text], { cwd: EXAMPLES });
          expect(stdout, stderr).toContain(`2 rows, and a key of ${length} characters`);
        });
      });
    }

    for (const sdk of FLYTEKIT_ENDS) {
      describeWith(sdk.require(), `with ${sdk.title}`, () => {
        it("gives a workflow its variables and files, also when flytekit was imported before", async () => {
          await keep(home, "password", "certificate");
          const text = `
import flytekit, report
from flyte_secrets import fake_secrets, local_secrets
with local_secrets("report.py:main"):
    print(report.main(day="monday"))
with fake_secrets({"warehouse/password=PGPASSWORD": "word", "mail/certificate": b"cert"}):
    print(report.main(day="tuesday"))
    print("outside of a task:", flytekit.current_context().secrets.get(key="certificate"))
try:
    report.main(day="none")
except Exception as error:
    print(type(error).__name__)
`;
          const { stdout, stderr } = await run(sdk.python, ["-c", text], { cwd: EXAMPLES });
          expect(stdout, stderr).toContain(
            `Sent: monday, with a password of ${length} characters and a certificate of ${length}\n`,
          );
          expect(stdout).toContain("Sent: tuesday, with a password of 4 characters and a certificate of 4\n");
          expect(stdout).toContain("outside of a task: cert\n");
          expect(stdout).toContain("Error\n");
        });
      });
    }
  });
});

/** Executes a notebook and prints what its cells print. */
const NOTEBOOK = `
import nbclient, nbformat
cells = [
    "import os; from flyte_secrets import local_secrets",
    """with local_secrets(secrets=["openai-key"], files=["certificate"]):
    directory = os.environ["FLYTE_SECRETS_DEFAULT_DIR"]
    print(len(os.environ["OPENAI_KEY"]), os.path.isfile(directory + "/certificate"))""",
    'print("OPENAI_KEY" in os.environ, os.path.exists(directory))',
]
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
nbclient.NotebookClient(notebook, timeout=120).execute()
for cell in notebook.cells:
    for output in cell.outputs:
        print(output.text, end="")
`;

/** Secrets of these names with the canary. */
async function keep(home: LocalHome, ...names: readonly string[]): Promise<void> {
  for (const name of names) await home.run(["create", "secret", name, "--from-file", "-", "--local"]);
}
