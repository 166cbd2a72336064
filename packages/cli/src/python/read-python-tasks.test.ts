import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, createReadStream, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DetailedError } from "../failure.ts";
import { findPython } from "./find-python.ts";
import { type ReadPythonTasksOptions, readPythonTasks } from "./read-python-tasks.ts";

// With the SDKs themselves: e2e/python. Here are files that use neither of them.
let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "python-tasks-"));
});
afterAll(() => rmSync(cwd, { recursive: true }));

const env = { PATH: process.env.PATH };

function write(name: string, content: string): string {
  const file = join(cwd, name);
  writeFileSync(file, content);
  return file;
}

async function read(file: string, options: Partial<ReadPythonTasksOptions> = {}) {
  const python = findPython(file, { env, cwd });
  return await readPythonTasks(file, { python, env, cwd, signal: new AbortController().signal, ...options });
}

/** What the user sees of the failure. */
async function failure(file: string, options?: Partial<ReadPythonTasksOptions>): Promise<string> {
  const error = await read(file, options).then(
    () => new Error("it was read"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof DetailedError)) throw error;
  return [`${error.code}: ${error.message}`, ...error.details].join("\n");
}

describe("a Python file", () => {
  it("has no tasks when it uses no SDK, whatever it prints and starts", async () => {
    const file = write(
      "printing.py",
      'import os, sys, threading\nprint("tasks: []")\nos.write(2, b"x" * 100_000)\nsys.stdout.close()\n' +
        "threading.Thread(target=threading.Event().wait).start()\n",
    );
    expect(await read(file)).toEqual([]);
  });

  it("is imported with its own directory and packages, and by its path", async () => {
    write("beside.py", "VALUE = 1\n");
    const file = write("json.py", "import beside, sys\nassert sys.argv == [__file__] and __name__ == 'json'\n");
    expect(await read(file)).toEqual([]);
  });

  it("that cannot be imported is shown with the line and its callers", async () => {
    write("broken.py", "def f():\n    raise RuntimeError('bad\\x1b[31m thing\\nmore')\n");
    expect(await failure(write("calls.py", "import broken\n\nbroken.f()\n"))).toBe(
      "task_failed: broken.py:2: RuntimeError: bad\\u001b[31m thing\n" +
        "  2 | raise RuntimeError('bad\\x1b[31m thing\\nmore')\n" +
        "    at calls.py:3",
    );
  });

  it("with a syntax error is shown with the line that has it", async () => {
    write("syntax.py", "x = (\ny = 1 1\n");
    expect(await failure(write("imports.py", "import syntax\n"))).toMatch(
      /^task_failed: syntax\.py:[12]: SyntaxError: .+\n {2}[12] \| .+\n {4}at imports\.py:1$/,
    );
  });

  it("that misses a package names it and the interpreter", async () => {
    const text = await failure(write("misses.py", "import no_such_package\n"));
    expect(text).toMatch(/^task_failed: misses\.py:1: ModuleNotFoundError: No module named 'no_such_package'\n/);
    expect(text).toMatch(/It was imported with \/.*python.*; --python names another\.$/);
  });

  it("that misses the SDK says where to install it", async () => {
    const python = findPython("", { env, cwd, given: "python3" });
    const text = await failure(write("sdk.py", "from flytekit import task\n"), { python });
    expect(text).toContain(`task_failed: sdk.py:1: flytekit is not installed for ${python}`);
  });

  it("that parses arguments is told what belongs where", async () => {
    const file = write(
      "arguments.py",
      'import argparse\np = argparse.ArgumentParser(prog="arguments")\np.add_argument("epochs")\np.parse_args()\n',
    );
    expect(await failure(file)).toBe(
      "task_failed: arguments.py:4: arguments.py ends Python while it is imported (sys.exit: 2)\n" +
        "  4 | p.parse_args()\n" +
        "  It printed:\n" +
        "    usage: arguments [-h] epochs\n" +
        "    arguments: error: the following arguments are required: epochs\n" +
        '  What it does as a program of its own belongs below: if __name__ == "__main__":',
    );
  });

  it("that waits for input finds none", async () => {
    expect(await failure(write("input.py", "input()\n"))).toMatch(/^task_failed: input\.py:1: EOFError: /);
  });

  it("that ends its process is shown with what it printed", async () => {
    const file = write("ending.py", 'import os\nprint("bye", flush=True)\nos._exit(3)\n');
    expect(await failure(file)).toMatch(
      /^task_failed: ending\.py can't be imported: .+ was ended with exit code 3 meanwhile\n {2}It printed:\n {4}bye$/,
    );
  });

  it("that hangs is stopped at the line where it does", async () => {
    expect(await failure(write("hangs.py", "import threading\nthreading.Event().wait()\n"), { timeoutMs: 50 })).toBe(
      "task_failed: hangs.py:2: importing hangs.py takes more than 0.05 seconds\n" +
        "  2 | threading.Event().wait()\n" +
        "  It was stopped here. What takes long belongs into a task.",
    );
  });

  it("that writes to the script's descriptor is not believed", async () => {
    const file = write("lying.py", 'import os\nos.write(3, b\'{"tasks": [{"name": 1}]}\\n\')\nos._exit(0)\n');
    expect(await failure(file)).toBe("task_failed: lying.py: code that it imports writes to file descriptor 3");
  });

  it("gets the given environment and no other", async () => {
    const file = write("environment.py", "import os\nassert 'CANARY' not in os.environ, os.environ\n");
    process.env.CANARY = "value";
    expect(await read(file)).toEqual([]);
    delete process.env.CANARY;
  });

  it("is stopped by the signal, with the processes that it has started", async () => {
    const fifo = join(cwd, "alive");
    execFileSync("mkfifo", [fifo]);
    const file = write(
      "starting.py",
      `import subprocess, threading\nsubprocess.Popen(["sh", "-c", "echo started; exec sleep 1000"], ` +
        `stdout=open(${JSON.stringify(fifo)}, "w"))\nthreading.Event().wait()\n`,
    );
    const controller = new AbortController();
    const reading = read(file, { signal: controller.signal });
    const alive = createReadStream(fifo);
    await once(alive, "data");
    // When nobody writes to it any more.
    const ended = once(alive, "end");
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: "canceled", message: "loading starting.py was stopped" });
    await ended;
  });
});

describe("an interpreter", () => {
  it("that is no program is named", async () => {
    const python = write("no-program", "text");
    expect(await failure(write("a.py", ""), { python })).toMatch(/can't be started: .*permission/);
  });

  it("of another machine is told apart from a file that fails", async () => {
    const header = readFileSync(process.execPath).subarray(0, 64);
    header.writeUInt16LE(0xf3, 18); // RISC-V
    const python = write("foreign", "");
    writeFileSync(python, header);
    chmodSync(python, 0o755);
    expect(await failure(write("b.py", ""), { python })).toContain(`${python} is made for another kind of machine`);
  });

  it("whose program is gone says so", async () => {
    const python = join(cwd, "dangling");
    symlinkSync("/nonexistent/python", python);
    expect(await failure(write("c.py", ""), { python })).toContain("it, or what it is started with, is not there");
  });
});
