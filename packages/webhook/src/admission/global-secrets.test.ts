import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { expect, onTestFinished, test } from "vitest";
import { globalSecrets } from "./global-secrets.ts";

/** A reader in whose eyes files that were just written have not changed for a day. */
function setUp({ laterMs = 86_400_000 } = {}) {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-global-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { readFile } = globalSecrets({ envPrefix: "", directory: "" }, {}, () => Date.now() + laterMs);
  const path = join(directory, "key");
  const read = () => readFile(path, {});
  return {
    directory,
    path,
    read,
    readAt: (at: string) => readFile(at, {}),
    readText: async () => (await read())?.revealText(),
  };
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

test("what isn't there is known at once, also below a file and under a name that no file can have", () => {
  const { directory, path, read, readAt } = setUp();
  expect(read()).toBeUndefined();
  writeFileSync(path, "value");
  expect(readAt(join(path, "below"))).toBeUndefined();
  expect(readAt(join(directory, "n".repeat(256)))).toBeUndefined();
  expect(readAt(join(directory, "ä".repeat(128)))).toBeUndefined();
  expect(readAt(join(directory, ...Array.from({ length: 3_000 }, () => "d")))).toBeUndefined();
});

test("what can't be read is no absence, and trying again does not help", async () => {
  const { directory, path, readAt } = setUp();
  mkdirSync(path);
  const message = `${path}: cannot be read: it is a directory`;
  await expect(readAt(path)).rejects.toEqual(new SecretsError("value_unreadable", message));
  const loop = join(directory, "loop");
  symlinkSync(loop, loop);
  expect(() => readAt(loop)).toThrow(`${loop}: cannot be read: its symbolic links lead in a circle`);
});

test.skipIf(process.getuid?.() === 0)("a file of somebody else's is no absence either (root reads all)", async () => {
  const { path, read } = setUp();
  writeFileSync(path, "value", { mode: 0 });
  await expect(read()).rejects.toMatchObject({ code: "value_unreadable" });
});
