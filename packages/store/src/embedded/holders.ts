import { readdirSync, readFileSync, statSync } from "node:fs";

/** Limit of processes named in a message. */
const MAX_NAMED = 4;

/** The commands that keep a store open, with their names in messages. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["serve", "server"],
  ["webhook", "webhook"],
]);

/**
 * The processes that have a database open, for a message: `the server (process 12) and process 15`. Only processes of
 * this user on Linux can be found.
 */
export function describeHolders(databaseFile: string): string {
  const pids = readPids().filter((pid) => hasFileOpen(pid, databaseFile));
  if (pids.length === 0) return "a server, a webhook or another command";
  const named = pids.slice(0, MAX_NAMED).map(describeProcess);
  if (pids.length > MAX_NAMED) named.push(`${pids.length - MAX_NAMED} more`);
  return new Intl.ListFormat("en-GB").format(named);
}

function readPids(): readonly string[] {
  return attempt(() => readdirSync("/proc").filter((name) => /^\d+$/.test(name)), []);
}

/** Whether a process of this user has the file open; false also where the system doesn't show that. */
export function hasFileOpen(pid: string, file: string): boolean {
  return attempt(() => {
    const wanted = statSync(file, { bigint: true });
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) =>
      attempt(() => {
        const found = statSync(`/proc/${pid}/fd/${descriptor}`, { bigint: true });
        return found.ino === wanted.ino && found.dev === wanted.dev;
      }, false),
    );
  }, false);
}

function describeProcess(pid: string): string {
  if (Number(pid) === process.pid) return `this process (${pid})`;
  // Other arguments are not shown, because they may be private.
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"), []);
  const kind = words.map((word) => KINDS.get(word)).find((found) => found !== undefined);
  return kind ? `the ${kind} (process ${pid})` : `process ${pid}`;
}

/** Processes may end or change their user at any time. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
