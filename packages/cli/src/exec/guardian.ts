import { spawn } from "node:child_process";
import { once } from "node:events";

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
