import { spawn } from "node:child_process";
import { once } from "node:events";
import { findProgramFault } from "./find-program.ts";

/** Cleans up for this process if it is killed (SIGKILL, out of memory) and can't do so itself. */
export interface Guardian {
  /** Has it end this process, or with a negative id this process group, too. */
  protect(target: number): void;
  /** Ends the guardian without its doing anything. */
  dismiss(): Promise<void>;
}

// Reads until this process closes the pipe or no longer exists. The last line is what to do then.
const SCRIPT = `target=
while IFS= read -r line; do target=$line; done
[ "$target" = dismissed ] && exit
[ -n "$target" ] && kill -s KILL -- "$target"
rm -rf -- "$1"`;

const END_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL", "--"];

/**
 * What to put before a command, so that the kernel ends it (and nothing that it has started) with this process, also
 * before {@link Guardian.protect} is called. Empty where util-linux doesn't have that: the program is then protected
 * some milliseconds after its start.
 */
export async function endWithParent(path: string | undefined): Promise<readonly string[]> {
  const [file = "", ...args] = END_WITH_PARENT;
  if (findProgramFault(file, { path, cwd: "/" }) !== undefined) return [];
  // Others than util-linux's have not all options.
  const trial = spawn(file, [...args, "true"], { cwd: "/", env: { PATH: path }, stdio: "ignore" });
  const [exitCode] = await once(trial, "exit").catch(() => [undefined]);
  return exitCode === 0 ? END_WITH_PARENT : [];
}

/**
 * Starts a process in a session of its own, so that no signal of this process's terminal or group reaches it. When this
 * process has ended without dismissing it, it ends what it protects and removes `directory`. `onFailure` is called
 * where there is no shell to run it.
 */
export function startGuardian(
  directory: string,
  { path, onFailure }: { readonly path: string | undefined; onFailure(): void },
): Guardian {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "flyte-secrets-guardian", directory], {
    cwd: "/",
    detached: true,
    env: { PATH: path },
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = once(shell, "exit").catch(onFailure);
  shell.stdin.on("error", () => {}); // It has ended.
  shell.unref();
  return {
    protect: (target) => void shell.stdin.write(`${target}\n`),
    async dismiss() {
      shell.ref();
      shell.stdin.end("dismissed\n");
      await ended;
    },
  };
}
