import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { excerpt, systemReason } from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "@flyte-secrets/inject";

/** A mount namespace in which a directory of files lies at `/etc/flyte/secrets`, for the processes that enter it. */
export interface SecretsMount extends AsyncDisposable {
  /**
   * Starts a process in it: goes before the program and its arguments. User, process id, environment and streams stay
   * as they are. `cwd` is the absolute path of the process's directory.
   */
  launcher(cwd: string): readonly string[];
  /** Takes no further processes; it ends with the last one in it. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What {@link openSecretsMount} shows of the directory that it is given. */
export const MOUNTED_DIRECTORY = "secrets";

/** Options of unshare(1) that keep the user, and leave mount(8) the rights that it has in a user namespace. */
const AS_USER = ["--user", "--map-current-user", "--keep-caps"];

const MAKE_MOUNT_POINT = `mkdir -p ${SECRETS_DIRECTORY}`;
// An ordinary user can't make it, but can cover /etc with a layer that has it. The kernel refuses that where it would
// uncover what lies below other mounts in /etc.
const COVER_ETC = `mount -n -t overlay -o lowerdir=/etc:etc overlay view
mount -n --move view /etc`;

// $1 is the directory. Without -n, mount(8) would fail to note what it does in a table that only root can write.
const scriptOf = (addMountPoint: string) => `set -e
umask 022
cd "$1"
if ! [ -d ${SECRETS_DIRECTORY} ]; then
${addMountPoint}
fi
mount -n --bind ${MOUNTED_DIRECTORY} ${SECRETS_DIRECTORY}
mount -n -o remount,bind,ro,nosuid,nodev ${SECRETS_DIRECTORY}
echo ready
read -r _`;

/** For each of the two programs that it takes to open one. */
const LIMIT_MS = 5_000;

/**
 * Makes such a namespace by the programs of util-linux, and finds out whether it can be entered; where the system does
 * not allow it, gives the reason. A process that ends with this one holds it. Files can be put into
 * {@link MOUNTED_DIRECTORY} of `directory` at any time.
 */
export async function openSecretsMount(
  directory: string,
  { path }: { readonly path: string | undefined },
): Promise<SecretsMount | { readonly refusal: string }> {
  const made = [MOUNTED_DIRECTORY, "view", join(".", SECRETS_DIRECTORY)];
  try {
    for (const name of made) await mkdir(join(directory, name), { recursive: true, mode: 0o700 });
  } catch (error) {
    return { refusal: systemReason(error) };
  }
  const isRoot = process.getuid?.() === 0;
  const options = { cwd: "/", detached: true, env: { PATH: path } } as const;
  const namespaces = [...(isRoot ? [] : AS_USER), "--mount", "--propagation=slave"];
  const script = scriptOf(isRoot ? MAKE_MOUNT_POINT : COVER_ETC);
  const words = ["--", "/bin/sh", "-c", script, "flyte-secrets-mount", directory];
  const holder = spawn("unshare", [...namespaces, ...words], options);
  const ended = once(holder, "close").catch(() => {});
  const mount: SecretsMount = {
    launcher(cwd) {
      const entered = [...(isRoot ? [] : ["--user", "--preserve-credentials"]), "--mount"];
      // nsenter(1) leaves a process in /, and its own --wd in a directory outside.
      return ["nsenter", `--target=${holder.pid}`, ...entered, "--", "unshare", `--wd=${cwd}`, "--"];
    },
    async [Symbol.asyncDispose]() {
      holder.kill("SIGKILL");
      await ended;
    },
  };
  const [program = "", ...rest] = [...mount.launcher("/"), "test", "-d", SECRETS_DIRECTORY];
  const refusal = (await refusalOf(holder)) ?? (await refusalOf(spawn(program, rest, options)));
  if (refusal === undefined) return mount;
  await mount[Symbol.asyncDispose]();
  return { refusal: excerpt(refusal.replaceAll(`${directory}/`, "")) };
}

/** Undefined once the process prints something or ends well, else why it doesn't: the first line of what it says. */
async function refusalOf(child: ChildProcess): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const limit = setTimeout(() => {
    resolve(`no answer within ${LIMIT_MS / 1_000} seconds`);
    child.kill("SIGKILL");
  }, LIMIT_MS);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    if (said.length < 1_000) said += chunk.toString();
  });
  child.stdout?.once("data", () => resolve(undefined));
  child.once("error", (error) => resolve(`${child.spawnfile}: ${systemReason(error)}`));
  child.once("close", (code) => resolve(code === 0 ? undefined : said.split("\n")[0] || `exit code ${code}`));
  const refusal = await promise;
  clearTimeout(limit);
  return refusal;
}
