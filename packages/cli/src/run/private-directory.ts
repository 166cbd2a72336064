import { randomUUID } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { access, chmod, constants, lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SecretsError, type SecretValue, systemReason } from "@flyte-secrets/core";

/** Memory that needs no privileges, so that a value never touches a disk. */
const MEMORY = "/dev/shm";

/** A directory that only this user can enter, for the files of the tasks that this process starts. */
export interface PrivateDirectory {
  readonly path: string;
  /** False where the machine offers no memory-backed directory and the files lie on disk for as long as a task runs. */
  readonly inMemory: boolean;
  /** Removes it with everything in it; the process does so at its exit when nobody did before. Idempotent. */
  remove(): Promise<void>;
}

/** Where private directories are made: memory where Linux offers it, else the system's temporary directory. */
export async function privateDirectoryRoot(): Promise<{ path: string; inMemory: boolean }> {
  const writable = await access(MEMORY, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  return writable ? { path: MEMORY, inMemory: true } : { path: tmpdir(), inMemory: false };
}

/**
 * Makes a directory of mode 0700 under `root`, after removing those that killed processes of this user have left there
 * (T-15).
 */
export async function createPrivateDirectory(root: { path: string; inMemory: boolean }): Promise<PrivateDirectory> {
  await sweep(root.path);
  const path = join(root.path, `${await prefix()}${process.pid}-${await startOf(process.pid)}-${randomUUID()}`);
  await mkdir(path, { mode: 0o700 });
  const removeAtExit = (): void => rmSync(path, { recursive: true, force: true });
  process.on("exit", removeAtExit);
  return {
    path,
    inMemory: root.inMemory,
    async remove() {
      await rm(path, { recursive: true, force: true });
      process.off("exit", removeAtExit);
    },
  };
}

/**
 * Writes a file of mode 0400 with directories of mode 0700 up to it. `not_injected` with the system's reason when it
 * can't.
 */
export async function writeSecretFile(path: string, value: SecretValue): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(path, value.revealBytes(), { mode: 0o400, flag: "wx" });
  } catch (error) {
    // Without the path, which the system's own message has: what should be a value must not be shown when it was taken
    // for a name.
    throw new SecretsError("not_injected", `a file of the task's secrets cannot be written: ${systemReason(error)}`);
  }
}

/** Gives a private directory and all in it the modes that they have in a pod: everyone may read, nobody write. */
export async function openModes(path: string): Promise<void> {
  await chmod(path, 0o755);
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o444);
  }
}

/** Names contain the process that made them, so that the next run removes only those of processes that have ended. */
async function sweep(root: string): Promise<void> {
  const ours = await prefix();
  for (const name of await readdir(root)) {
    if (!name.startsWith(ours)) continue;
    const [pid = "", started = ""] = name.slice(ours.length).split("-");
    const path = join(root, name);
    const stat = await lstat(path).catch(() => undefined);
    if (!stat?.isDirectory() || stat.uid !== process.getuid?.()) continue;
    if ((await startOf(Number(pid))) === started) continue;
    await rm(path, { recursive: true, force: true });
  }
}

/** With the process namespace, since containers that share `/dev/shm` number their processes independently. */
async function prefix(): Promise<string> {
  const namespace = await readlink("/proc/self/ns/pid").catch(() => "");
  return `flyte-secrets-run-${namespace.replace(/\D/g, "")}-`;
}

/**
 * Identifies the process with this id by its start time in ticks since the machine started, so that a reused id is not
 * taken for the former process; a constant if the system does not report it. Undefined when no process runs.
 */
async function startOf(pid: number): Promise<string | undefined> {
  if (!existsSync("/proc/self/stat")) return isRunning(pid) ? "0" : undefined;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // The second field, the command in parentheses, may contain anything. A zombie's number is still taken, but it has
  // ended.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? undefined : rest[18];
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
