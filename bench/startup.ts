import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { cpuUs, endedChildrenCpuUs, residentMib, timeToExit } from "./process.ts";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "7");
const SECRETS = Number(process.env.BENCH_SECRETS ?? "100000");
/** What is measured: this checkout's command, or another form of it, such as the image's. */
const COMMAND = process.env.BENCH_COMMAND ?? join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
const TASKS = join(import.meta.dirname, "../packages/cli/testdata/run/tasks.mjs");
/** After this a server has nothing left to do of its start. */
const IDLE_MS = 500;

interface Start {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Of a server, some time after it was ready. */
  readonly mib?: number;
}

/** CPU and wall time of commands and of servers until they are ready, next to a bare Node process, in turns. */
export async function benchStartup(): Promise<Row[]> {
  const homes = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  const home = join(homes, "one");
  const full = join(homes, "many");
  try {
    await fill(home, 1);
    await fill(full, SECRETS);
    const exit = (...args: string[]) => measureExit(args, home);
    const ready = (args: string, of = home) => measureReady([COMMAND, ...args.split(" ")], of);
    const probes = "--executor.healthProbeBindAddress=127.0.0.1:0 --executor.metricsBindAddress=127.0.0.1:0";
    const cases = new Map<string, () => Promise<Start>>([
      ["node -e 0", () => exit("--eval", "0")],
      ["--version", () => exit(COMMAND, "--version")],
      ["get secret, of one's own store", () => exit(COMMAND, "get", "secret", "--local")],
      ["a task in a bare child process", () => exit("--input-type=module", "--eval", bareCall(TASKS))],
      ["run of that task", () => exit(COMMAND, "run", TASKS, "plain")],
      ["serve, ready", () => ready("serve --port 0")],
      [`serve with ${SECRETS} secrets, ready`, () => ready("serve --port 0", full)],
      [
        "webhook, ready",
        () => ready(`webhook --port 0 --webhook.embeddedSecretManagerConfig.delivery=Inline ${probes}`),
      ],
    ]);
    const starts = new Map([...cases.keys()].map((what) => [what, [] as Start[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, measure] of cases) starts.get(what)?.push(await measure());
    }
    const bare = starts.get("node -e 0") ?? [];
    return [...starts].map(([what, each]) => toRow(what, each, bare));
  } finally {
    rmSync(homes, { recursive: true });
  }
}

/** Over the bare process: in each round, over the one that was started in that round. */
function toRow(what: string, starts: readonly Start[], bare: readonly Start[]): Row {
  const of = (name: "cpuMs" | "wallMs") => toSpread(starts.map((start) => start[name]));
  const over = (name: "cpuMs" | "wallMs") =>
    toSpread(starts.map((start, round) => start[name] - (bare[round]?.[name] ?? Number.NaN)));
  const mibs = starts.flatMap(({ mib }) => mib ?? []);
  return {
    what,
    "CPU, ms": of("cpuMs"),
    "over node -e 0": over("cpuMs"),
    "wall, ms": of("wallMs"),
    "over node -e 0, wall": over("wallMs"),
    "resident, MiB": mibs.length > 0 ? toSpread(mibs) : "",
  };
}

/** Loads the same file with the same SDK and calls the same task, without a runner. */
export function bareCall(file: string): string {
  return `await (await import(${JSON.stringify(file)})).plain();`;
}

async function measureExit(args: readonly string[], home: string): Promise<Start> {
  const before = endedChildrenCpuUs();
  const wallMs = await timeToExit(process.execPath, args, { HOME: home });
  return { wallMs, cpuMs: (endedChildrenCpuUs() - before) / 1_000 };
}

/** A server until it says how to stop it, which is the last that it prints. */
async function measureReady(args: readonly string[], home: string): Promise<Start> {
  const started = performance.now();
  const env = { PATH: process.env.PATH, HOME: home };
  const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  if (!(await printsStop(child.stdout))) throw new Error(`${args.slice(0, 2).join(" ")} ended before it was ready`);
  const { pid = 0 } = child;
  const start = { wallMs: performance.now() - started, cpuMs: cpuUs(pid) / 1_000 };
  await delay(IDLE_MS);
  const mib = residentMib(pid);
  child.kill("SIGTERM");
  await ended;
  return { ...start, mib };
}

async function printsStop(output: AsyncIterable<unknown>): Promise<boolean> {
  for await (const text of output) if (String(text).includes("Stop: Ctrl-C")) return true;
  return false;
}

async function fill(home: string, count: number): Promise<void> {
  const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
  const input = { value: SecretValue.fromText("x".repeat(64)), type: "generic" } as const;
  for (let n = 0; n < count; n++) {
    await store.create({ org: "flyte", domain: "development", project: `p${n % 100}`, name: `s${n}` }, input);
  }
  await store.close();
}
