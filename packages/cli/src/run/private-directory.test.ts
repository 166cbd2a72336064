import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createPrivateDirectory, openModes, privateDirectoryRoot, writeSecretFile } from "./private-directory.ts";

let root: { path: string; inMemory: boolean };
beforeEach(async () => {
  root = { path: await mkdtemp(join(tmpdir(), "private-")), inMemory: false };
});
afterEach(() => rm(root.path, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test("only this user enters it, its files are read-only, and removing it takes everything away", async () => {
  const directory = await createPrivateDirectory(root);
  const file = join(directory.path, "0", "group", "key");
  await writeSecretFile(file, SecretValue.fromBytes(Uint8Array.of(0, 255)));
  expect(
    await Promise.all([directory.path, join(directory.path, "0"), join(directory.path, "0/group"), file].map(modeOf)),
  ).toEqual(["700", "700", "700", "400"]);
  expect([...(await readFile(file))]).toEqual([0, 255]);
  await directory.remove();
  await directory.remove();
  expect(await readdir(root.path)).toEqual([]);
});

test("can have the modes of a pod, with whatever umask", async () => {
  const umask = process.umask(0o077);
  const directory = await createPrivateDirectory(root);
  const inner = join(directory.path, "secrets");
  const file = join(inner, "group/key");
  await writeSecretFile(file, SecretValue.fromText("value"));
  await openModes(inner);
  process.umask(umask);
  const paths = [directory.path, inner, dirname(file), file];
  expect(await Promise.all(paths.map(modeOf))).toEqual(["700", "755", "755", "444"]);
  await directory.remove();
});

test("lies in memory where Linux offers it", async () => {
  expect(await privateDirectoryRoot()).toEqual(
    process.platform === "linux" ? { path: "/dev/shm", inMemory: true } : { path: tmpdir(), inMemory: false },
  );
});

/** A process of its own that makes a directory with a file in `root` and then does as told. */
async function startOwner(): Promise<{ path: string; end(how: "SIGKILL" | "exit"): Promise<void> }> {
  const owner = fork(join(import.meta.dirname, "../../testdata/run/own-a-directory.ts"), [root.path], { execArgv: [] });
  const [path] = await once(owner, "message");
  return {
    path: String(path),
    async end(how) {
      const ended = once(owner, "exit");
      if (how === "exit") owner.send("exit");
      else owner.kill(how);
      await ended;
    },
  };
}

test("a process that exits without removing it leaves nothing", async () => {
  const owner = await startOwner();
  await owner.end("exit");
  expect(await readdir(root.path)).toEqual([]);
});

test("the next one sweeps what a killed process has left, and leaves alone what a running one uses and what is not ours", async () => {
  const [killed, running] = await Promise.all([startOwner(), startOwner()]);
  await killed.end("SIGKILL");
  await mkdir(join(root.path, "of-somebody-else"));
  expect(await readdir(killed.path)).toEqual(["key"]);
  const directory = await createPrivateDirectory(root);
  const left = [directory.path, join(root.path, "of-somebody-else"), running.path];
  expect((await readdir(root.path)).map((name) => join(root.path, name)).sort()).toEqual(left.sort());
  await Promise.all([directory.remove(), running.end("exit")]);
});
