import type { PodCreation } from "./pod-load.ts";
import type { Rotated } from "./rotation.ts";

/** What a load came to. */
export interface LoadReport {
  readonly created: number;
  readonly failed: number;
  /** From the beginning of the first creation that failed to the end of the last. */
  readonly failingMs: number;
  /** What the creator waited longest for a failure. */
  readonly longestFailureMs: number;
  /** The longest time in which no creation succeeded. */
  readonly longestGapMs: number;
  /** How often creators were told what, without numbers and addresses. */
  readonly reasons: ReadonlyMap<string, number>;
  /** The longest time after which a creation that began with a newer value acknowledged still got an older one. */
  readonly lagMs: number;
  /** Creations that got an older value than one before them got from the same replica. Must be empty. */
  readonly stale: readonly string[];
  /** Pods that refer to a Secret that is not there, or that holds anything but one whole value. Must be empty. */
  readonly broken: readonly string[];
}

export interface LoadFacts {
  readonly creations: readonly PodCreation[];
  readonly values: readonly Rotated[];
  /** The number of the value that a Secret holds under a key; undefined where it holds none. */
  readonly numberIn: (secret: { readonly name: string; readonly key: string }) => number | undefined;
}

type Created = Extract<PodCreation, { kind: "created" }>;

export function reportLoad({ creations, values, numberIn }: LoadFacts): LoadReport {
  const created = creations.filter((creation) => creation.kind === "created");
  const failed = creations.filter((creation) => creation.kind === "failed");
  const numbered = created.flatMap((creation) => {
    const number = numberIn(creation.secret);
    return number === undefined ? [] : [{ ...creation, number }];
  });
  const successes = created.map(({ endedMs }) => endedMs).toSorted((a, b) => a - b);
  return {
    created: created.length,
    failed: failed.length,
    failingMs:
      failed.length === 0
        ? 0
        : Math.max(...failed.map(({ endedMs }) => endedMs)) - Math.min(...failed.map(({ startedMs }) => startedMs)),
    longestFailureMs: Math.max(0, ...failed.map(({ startedMs, endedMs }) => endedMs - startedMs)),
    longestGapMs: Math.max(...successes.slice(1).map((at, n) => at - (successes[n] ?? at))),
    reasons: countReasons(failed.map(({ why }) => why)),
    lagMs: Math.max(0, ...numbered.map((creation) => lag(creation, values))),
    stale: [...Map.groupBy(numbered, ({ mark }) => mark).values()].flatMap(findStale),
    broken: created.filter(({ secret }) => numberIn(secret) === undefined).map(({ name }) => name),
  };
}

interface Numbered extends Created {
  readonly number: number;
}

/** Among those of one replica. Of two that overlap, either may have come first. */
function findStale(creations: readonly Numbered[]): string[] {
  const byEnd = creations.toSorted((a, b) => a.endedMs - b.endedMs);
  let newest = Number.NEGATIVE_INFINITY;
  let over = 0;
  return creations
    .toSorted((a, b) => a.startedMs - b.startedMs)
    .flatMap(({ name, number, mark, startedMs }) => {
      for (; (byEnd[over]?.endedMs ?? Number.POSITIVE_INFINITY) < startedMs; over++)
        newest = Math.max(newest, byEnd[over]?.number ?? newest);
      return number < newest ? [`${name} got value ${number} from ${mark} after ${newest}`] : [];
    });
}

function lag({ number, startedMs }: Numbered, values: readonly Rotated[]): number {
  const newer = values.find((value) => value.number > number);
  return newer === undefined ? 0 : startedMs - newer.ackedMs;
}

function countReasons(whys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const why of whys) {
    const reason = why
      .replaceAll(/https?:\/\/\S+?(?=[",\s]|$)/g, "URL")
      .replaceAll(/\d+\.\d+\.\d+\.\d+:\d+(->)?/g, "ADDRESS$1")
      .replaceAll(/flyte-secrets-[0-9a-f]{32}/g, "SECRET");
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

/** A line of the table of docs/reliability.md. */
export function toTableRow(what: string, report: LoadReport): Record<string, string | number> {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  return {
    accident: what,
    created: report.created,
    failed: report.failed,
    "failing, s": seconds(report.failingMs),
    "longest gap, s": seconds(report.longestGapMs),
    "longest lag, s": seconds(report.lagMs),
    stale: report.stale.length,
    broken: report.broken.length,
  };
}
