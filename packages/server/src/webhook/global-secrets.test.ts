import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../config/load-config.ts";
import { globalSecrets } from "./global-secrets.ts";

/** A reader in whose eyes files that were just written have not changed for a day. */
function setUp({ laterMs = 86_400_000 } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-global-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags: {}, home: "/", cwd: "/" });
  const { readFile } = globalSecrets(config, {}, () => Date.now() + laterMs);
  const path = join(directory, "key");
  const read = () => readFile(path, {});
  return { directory, path, read, readText: async () => (await read())?.revealText() };
}

test("a file that stays as it is is read once, and known at once from then on", async () => {
  const { path, read, readText } = setUp();
  writeFileSync(path, "value");
  expect(await readText()).toBe("value");
  const known = read();
  expect(known).not.toBeInstanceOf(Promise);
  expect(await known).toBe(await read());
});

test("a change is seen at once: written in place, replaced, removed, there again", async () => {
  const { directory, path, readText } = setUp();
  writeFileSync(path, "one");
  expect(await readText()).toBe("one");
  writeFileSync(path, "more than one");
  expect(await readText()).toBe("more than one");
  writeFileSync(join(directory, "next"), "as long as it");
  renameSync(join(directory, "next"), path);
  expect(await readText()).toBe("as long as it");
  rmSync(path);
  expect(await readText()).toBeUndefined();
  writeFileSync(path, "back");
  expect(await readText()).toBe("back");
});

test("a file that was written just now is not relied on: its times may not tell the next change", async () => {
  const { path, read, readText } = setUp({ laterMs: 0 });
  writeFileSync(path, "one");
  expect(await readText()).toBe("one");
  expect(read()).toBeInstanceOf(Promise);
  writeFileSync(path, "two");
  expect(await readText()).toBe("two");
});

test("what isn't there is known at once, and what can't be read is no absence", async () => {
  const { path, read } = setUp();
  expect(read()).toBeUndefined();
  mkdirSync(path);
  await expect(read()).rejects.toMatchObject({ code: "store_unavailable", message: `${path}: cannot be read` });
  const below = join(path, "..", "file", "key");
  writeFileSync(join(path, "..", "file"), "");
  const config = loadConfig({ files: [], defaultFiles: [], env: {}, flags: {}, home: "/", cwd: "/" });
  expect(globalSecrets(config, {}).readFile(below, {})).toBeUndefined();
});
