import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { runCommandLine } from "../command-line.ts";
import { createOutput } from "../output.ts";
import { formatCount } from "../render/counts.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { failure, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const MANY = 500;
const CLEAR_LINE = "\r\u001b[K";
const ALREADY =
  "Nothing was written; --skip-existing leaves them as they are, --overwrite gives them the file's values";

/** `many.json` with so many secrets, `k0` and on; returns its path. */
function writeMany(number = MANY, value = "x"): string {
  const file = join(at.home, "many.json");
  const entries = Array.from({ length: number }, (_, index) => [`k${index}`, value] as const);
  writeFileSync(file, JSON.stringify(Object.fromEntries(entries)));
  return file;
}

const storedNames = async (): Promise<string[]> => {
  const listed = JSON.parse((await at.call("get", "secret", "-o", "json")).stdout);
  return listed.map((secret: { id: { name: string } }) => secret.id.name);
};

/** Runs a command on a terminal of its own, and interrupts it as soon as so much is done. */
async function interruptAt(done: number, ...args: string[]) {
  const streams = { stdout: new PassThrough(), stderr: Object.assign(new PassThrough(), { isTTY: true }) };
  const interrupted = new AbortController();
  let screen = "";
  streams.stderr.on("data", (chunk) => {
    screen += chunk;
    if (Number(/ing (\d+) of/.exec(String(chunk))?.[1]) >= done) interrupted.abort();
  });
  const stdin = new PassThrough();
  const exitCode = await runCommandLine(args, {
    env: at.env,
    stdin,
    stdout: createOutput(streams.stdout),
    stderr: createOutput(streams.stderr, { NO_COLOR: "1" }),
    home: at.home,
    cwd: at.home,
    nodeVersion: process.versions.node,
    interruption: () => interrupted.signal,
    relaySignals: () => () => {},
  });
  return { exitCode, stdout: String(streams.stdout.read() ?? ""), screen };
}

describe("import of many", () => {
  it("tells the first few and how many, keeps errors short, and skips or replaces what is there", async () => {
    writeMany();
    expect(await at.call("import", "many.json", "--dry-run")).toMatchObject({
      stdout: expect.stringMatching(
        /^Would create secret k0\n(.*\n){4}and 495 more\n500 secrets \(global scope\), nothing written\n$/,
      ),
    });
    expect(await at.call("import", "many.json")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Created secret k0\n(.*\n){4}and 495 more\n500 secrets \(global scope\)\n$/),
      stderr: "",
    });
    expect(await storedNames()).toHaveLength(MANY);
    expect(await at.call("import", "many.json")).toEqual(
      failure(1, `already there: k0, k1, k2 and 497 more. ${ALREADY}`),
    );
    writeMany(MANY + 7, "new");
    expect(await at.call("import", "many.json", "--skip-existing")).toMatchObject({
      exitCode: 0,
      stdout: `${[
        ...[0, 1, 2, 3, 4].map((number) => `There already: k${number}`),
        "and 495 more",
        ...[500, 501, 502, 503, 504].map((number) => `Created secret k${number}`),
        "and 2 more",
        "507 secrets (global scope): 7 created, 500 there already",
      ].join("\n")}\n`,
    });
    expect([await at.kept("k1"), await at.kept("k500")]).toEqual(["x", "new"]);
    expect(await at.call("import", "many.json", "--overwrite")).toMatchObject({ exitCode: 0 });
    expect(await at.kept("k1")).toBe("new");
    expect(await at.call("import", "many.json", "--overwrite", "--skip-existing")).toEqual(
      failure(2, "--overwrite cannot be used with --skip-existing"),
    );
  });

  it("ends at an interruption after the calls in flight, says how far it got, and goes on from there", async () => {
    // So many that the import still goes on when its first progress is shown.
    writeMany(3000);
    const { exitCode, stdout, screen } = await interruptAt(1, "import", "many.json");
    const done = Number(/interrupted: ([\d,]+) of 3,000 secrets done\./.exec(screen)?.[1]?.replace(",", ""));
    expect([exitCode, stdout]).toEqual([1, ""]);
    const told = `error: interrupted: ${formatCount(done)} of 3,000 secrets done. The same command with --skip-existing goes on from there`;
    expect(screen.endsWith(`${CLEAR_LINE}${told}\n`)).toBe(true);
    expect(done).toBeGreaterThan(0);
    expect(await storedNames()).toHaveLength(done);
    expect(await at.call("import", "many.json", "--skip-existing")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(
        `3,000 secrets (global scope): ${formatCount(3000 - done)} created, ${formatCount(done)} there already\n`,
      ),
    });
  });

  it("an interruption before the first is told too, and one of an import that overwrites says that the same command goes on", async () => {
    writeMany();
    const first = await interruptAt(0, "import", "many.json", "--overwrite");
    expect(first.screen).toContain("error: interrupted: 0 of 500 secrets done. The same command goes on from there\n");
    expect(first.exitCode).toBe(1);
  });

  it("one that is refused ends it, with how far it got", async () => {
    const entries = {
      ...Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`k${index}`, "x"])),
      pull: { type: "image_pull", text: "no Docker configuration" },
    };
    writeFileSync(join(at.home, "some.json"), JSON.stringify(entries));
    const { exitCode, stderr } = await at.call("import", "some.json");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^error: pull \(9 of 10 secrets done\. The same command with --skip-existing goes on from there\): /,
    );
    expect(stderr.length).toBeLessThan(400);
    expect(await storedNames()).toHaveLength(9);
  });

  it("a value that no secret takes is refused before anything is written, however large", async () => {
    for (const size of [(1 << 20) + 1, 12 << 20]) {
      writeFileSync(join(at.home, "some.json"), JSON.stringify({ a: "x", big: "x".repeat(size) }));
      expect(await at.call("import", "some.json")).toEqual(
        failure(1, `some.json: big: its value has ${size} bytes, and a secret takes 1048576 (1 MiB)`),
      );
    }
  });

  it("shows its progress in one line of a terminal, which is gone in the end", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["import", writeMany()], env: at.env }, []);
    expect(exitCode).toBe(0);
    expect(screen).toContain(`${CLEAR_LINE}Importing 0 of 500${CLEAR_LINE}`);
    expect(screen.split(CLEAR_LINE).at(-1)).toMatch(/^Created secret k0\r\n/);
  });
});
