import { join } from "node:path";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { beforeEach, expect, test, vi } from "vitest";
import { prepareStoreDirectory } from "../embedded/directory.ts";
import { createMasterKey, promoteNextKey, writeNextKey } from "../embedded/master-key.ts";
import { syncDirectory, writePrivateFile } from "./private-files.ts";

/** What was done to files, in order: only a power cut would show that one of these is missing. */
const done = vi.hoisted(() => [] as string[]);

vi.mock("node:fs", async (importOriginal) => {
  const fs = await importOriginal<typeof import("node:fs")>();
  const opened = new Map<unknown, string>();
  const nameOf = (path: unknown) =>
    String(path)
      .replace(/^.*\//, "")
      .replace(/[0-9a-f]{8}-[0-9a-f-]+$/, "draft");
  const noted =
    <Args extends readonly unknown[], Result>(verb: string, call: (...args: Args) => Result) =>
    (...args: Args): Result => {
      const result = call(...args);
      if (verb === "open") opened.set(result, nameOf(args[0]));
      else done.push(`${verb} ${opened.get(args[0]) ?? nameOf(args[0])}`);
      return result;
    };
  const { openSync, writeFileSync, fsyncSync, renameSync, linkSync, mkdirSync } = fs;
  return {
    ...fs,
    openSync: noted("open", openSync),
    writeFileSync: noted("write", writeFileSync),
    fsyncSync: noted("sync", fsyncSync),
    renameSync: noted("rename", renameSync),
    linkSync: noted("link", linkSync),
    mkdirSync: noted("make", mkdirSync),
  };
});

beforeEach(() => void done.splice(0));

/** A new directory called `dir`, with what was done since. */
function inDirectory(): string {
  return join(createTemporaryDirectory(), "dir");
}

test("the entry of a new data directory is durable before anything is written into it", () => {
  const path = inDirectory();
  done.splice(0);
  prepareStoreDirectory(path);
  expect(done).toEqual(["make dir", expect.stringMatching(/^sync /)]);
});

test("a private file is durable before it has its name, and its name when it is written", () => {
  const { path } = prepareStoreDirectory(inDirectory());
  for (const [replace, step] of [
    [true, "rename"],
    [false, "link"],
  ] as const) {
    done.splice(0);
    writePrivateFile(join(path, `file-${step}`), "text", { replace });
    expect(done).toEqual([
      `write file-${step}.draft`,
      `sync file-${step}.draft`,
      `${step} file-${step}.draft`,
      "sync dir",
    ]);
  }
});

test("a new key is durable before the database names it, and in its place before the old one goes", () => {
  const directory = prepareStoreDirectory(inDirectory());
  for (const before of [[], ["link master.key"]]) {
    done.splice(0);
    writeNextKey(directory, createMasterKey());
    expect(done).toEqual(["write master.key.new", "sync master.key.new", "sync dir"]);
    done.splice(0);
    promoteNextKey(directory);
    expect(done).toEqual([...before, "rename master.key.new", "sync dir"]);
  }
  done.splice(0);
  syncDirectory(directory.path);
  expect(done).toEqual(["sync dir"]);
});
