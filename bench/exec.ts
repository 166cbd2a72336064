import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type Row, toSpread } from "./table.ts";

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? "7");
const COMMAND = process.env.BENCH_COMMAND ?? join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
const VALUE = "x".repeat(32);
/** Fails without the secret, and prints the resident memory of the process that waits for it. */
const PROGRAM = ["/bin/sh", "-c", `test -n "$API_KEY$KEY_FILE" && grep VmRSS /proc/$PPID/status`];

interface Run {
  readonly wallMs: number;
  readonly waitingMib: number;
}

/** A small program under `exec`, next to the same as a bare child with the same variable, in turns. */
export async function benchExec(): Promise<Row[]> {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-bench-"));
  try {
    const store = await openEmbeddedStore({ directory: join(home, ".flyte-secrets") });
    const id = { org: "flyte", domain: "", project: "", name: "api-key" };
    await store.create(id, { value: SecretValue.fromText(VALUE), type: "generic" });
    await store.close();

    const exec = (...options: string[]) => [process.execPath, COMMAND, "exec", ...options, "--", ...PROGRAM];
    const cases = new Map([
      ["bare child", PROGRAM],
      ["exec, a variable", exec("-s", "api-key")],
      ["exec, a variable, unmasked", exec("-s", "api-key", "--no-mask")],
      ["exec, a file", exec("--file", "api-key=KEY_FILE")],
    ]);
    const runs = new Map([...cases.keys()].map((what) => [what, [] as Run[]]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [what, command] of cases)
        runs.get(what)?.push(await measure(command, { HOME: home, ...(what === "bare child" && { API_KEY: VALUE }) }));
    }
    const bare = runs.get("bare child") ?? [];
    return [...runs].map(([what, each]) => ({
      what,
      "exec to exit, ms": toSpread(each.map(({ wallMs }) => wallMs)),
      "over the bare child, ms": toSpread(
        each.map(({ wallMs }, round) => wallMs - (bare[round]?.wallMs ?? Number.NaN)),
      ),
      "resident while it waits, MiB": what === "bare child" ? "" : toSpread(each.map(({ waitingMib }) => waitingMib)),
    }));
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function measure([file = "", ...args]: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  const started = performance.now();
  const child = spawn(file, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output, [exitCode]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  const wallMs = performance.now() - started;
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(output)?.[1];
  if (exitCode !== 0 || kib === undefined) throw new Error(`${[file, ...args].join(" ")} ended with ${exitCode}`);
  return { wallMs, waitingMib: Number(kib) / 1024 };
}
