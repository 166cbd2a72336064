import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { findPython } from "./find-python.ts";

let cwd: string;
let file: string;
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "find-python-")));
  onTestFinished(() => rmSync(cwd, { recursive: true }));
  file = join(cwd, "project/flows/hello.py");
  mkdirSync(dirname(file), { recursive: true });
});

function program(path: string): string {
  const whole = join(cwd, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, "");
  chmodSync(whole, 0o755);
  return whole;
}

const find = (env: Record<string, string> = {}, given?: string) => findPython(file, { env, cwd, given });

describe("the Python that imports a file", () => {
  it("is the one of the active environment, then the project's, then the one on PATH", () => {
    const onPath = program("bin/python");
    const PATH = `/nonexistent:${dirname(onPath)}`;
    expect(find({ PATH })).toBe(onPath);
    const third = program("bin/python3");
    expect(find({ PATH })).toBe(third);
    program("project/venv/bin/python");
    expect(find({ PATH })).toBe(third);
    writeFileSync(join(cwd, "project/pyproject.toml"), "");
    expect(find({ PATH })).toBe(join(cwd, "project/venv/bin/python"));
    const hidden = program("project/.venv/bin/python");
    expect(find({ PATH })).toBe(hidden);
    const beside = program("project/flows/venv/bin/python");
    expect(find({ PATH })).toBe(beside);
    const active = program("active/bin/python");
    expect(find({ PATH, VIRTUAL_ENV: join(cwd, "active") })).toBe(active);
  });

  it("is never one above the project's root", () => {
    program(".venv/bin/python");
    mkdirSync(join(cwd, "project/.git"));
    expect(() => find()).toThrow("there is no Python: no .venv beside the file, no python3 on PATH");
  });

  it.runIf(process.getuid?.() === 0)("is none of another user's environment", async () => {
    const { chownSync } = await import("node:fs");
    program("project/flows/.venv/bin/python");
    chownSync(join(cwd, "project/flows/.venv"), 1_234, 1_234);
    expect(() => find()).toThrow("there is no Python");
  });

  it("is the given one, by path, by name or by its environment", () => {
    const given = program("other/bin/python");
    const PATH = dirname(given);
    expect(find({}, "other/bin/python")).toBe(given);
    expect(find({}, "other")).toBe(given);
    expect(find({ PATH }, "python")).toBe(given);
    expect(() => find({ PATH }, "pypy")).toThrow("--python: there is no pypy here or on PATH");
    expect(() => find({ PATH }, "./pypy")).toThrow("--python: there is no ./pypy");
    expect(() => find({}, "project")).toThrow("--python: project is a directory without bin/python");
  });

  it("is not looked for elsewhere when the active environment has none", () => {
    const PATH = dirname(program("bin/python3"));
    symlinkSync("/nonexistent", join(cwd, "stale"));
    expect(() => find({ PATH, VIRTUAL_ENV: join(cwd, "stale") })).toThrow("which has no bin/python");
  });
});
