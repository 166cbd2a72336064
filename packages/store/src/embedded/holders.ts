import { readdirSync, readFileSync, statSync } from "node:fs";

/** What a message names at most. */
const MAX_NAMED = 4;

/** The commands that hold a store for long, by what people call them. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["serve", "server"],
  ["webhook", "webhook"],
]);

/**
 * Who has a database open, for a message: `the server (process 12) and process 15`. Linux tells it of this user's
 * processes; of others, and elsewhere, the message has to do without.
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

/** Whether a process of this user's has the file open; false also where the system doesn't tell. */
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
  // Nothing else of the arguments is shown: they are somebody's own.
  const words = attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"), []);
  const kind = words.map((word) => KINDS.get(word)).find((found) => found !== undefined);
  return kind ? `the ${kind} (process ${pid})` : `process ${pid}`;
}

/** Processes end, and change their user, while one looks at them. */
function attempt<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}
