import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { type Block, blocksOf, type Command, commandsOf } from "./page-blocks.ts";
import type { PageShell } from "./page-shell.ts";

/** What the test does for one command beside running it. */
export interface Handling {
  /** Run before it: what the prose says that the reader has. */
  readonly given?: string;
  /** Typed at the prompt; without a terminal the command takes it by this option from standard input. */
  readonly typed?: string;
  /** A server that runs beside it and the rest of the page. */
  readonly beside?: { readonly script: string; readonly ready: RegExp };
  /** It runs until Ctrl-C; ready when it has printed this. */
  readonly serves?: RegExp;
  /** Run in its place, for a reason that stands beside it. */
  readonly instead?: string;
  /** Not run, and why. It is still read: flags, syntax. */
  readonly notRun?: string;
  /** By default 0. */
  readonly exitCode?: number;
  /** Has to stand in what it prints. */
  readonly prints?: RegExp;
}

/** By a command's first line. An entry that no command of the page has is an error. */
export type PagePlan = Readonly<Record<string, Handling>>;

/** Does what a page says, in its order: writes the files that it shows, and runs its commands. */
export async function followPage(page: string, { shell, plan }: { shell: PageShell; plan: PagePlan }): Promise<void> {
  const unused = new Set(Object.keys(plan));
  let port: string | undefined;
  for (const block of blocksOf(page)) {
    writeShownFile(block, shell.directory());
    for (const command of commandsOf(block)) {
      const key = command.text.split("\n")[0] ?? "";
      unused.delete(key);
      const handling = plan[key] ?? {};
      if (handling.notRun !== undefined) continue;
      if (handling.beside !== undefined) await shell.start(handling.beside.script, handling.beside.ready);
      port = announcedPort(shell) ?? port;
      await followCommand(`${page}:${command.line}`, withPort(command, port), { handling, shell });
    }
  }
  expect([...unused], `${page}: handled, and not on the page`).toEqual([]);
}

/** A block under a sentence that ends in a file's name in backticks is that file. */
function writeShownFile({ above, language, text }: Block, directory: string): void {
  const file = /`([\w-]+\.(?:py|ts|yaml|json))`:$/.exec(above)?.[1];
  if (file !== undefined && ["python", "ts", "yaml", "json"].includes(language))
    writeFileSync(join(directory, file), text);
}

/** Pages name the usual port; the test's server has taken a free one. */
function withPort(command: Command, port: string | undefined): Command {
  return port === undefined ? command : { ...command, text: command.text.replaceAll("8093", port) };
}

function announcedPort({ home }: PageShell): string | undefined {
  const file = join(home, ".flyte-secrets/server.json");
  return existsSync(file) ? new URL(JSON.parse(readFileSync(file, "utf8")).endpoint).port : undefined;
}

async function followCommand(
  where: string,
  { text, expected }: Command,
  { handling, shell }: { handling: Handling; shell: PageShell },
): Promise<void> {
  const { given, typed, serves, instead, exitCode = 0, prints } = handling;
  if (given !== undefined) {
    const prepared = await shell.run(given);
    expect(prepared.exitCode, `${where}: ${given}\n${prepared.stderr}`).toBe(0);
  }
  const script = instead ?? (typed === undefined ? text : `${text} --from-file -`);
  if (serves !== undefined) return await shell.start(script, serves);
  const { stdout, stderr, ...result } = await shell.run(script, typed);
  expect.soft(result.exitCode, `${where}: ${script}\n${stdout}${stderr}`).toBe(exitCode);
  if (prints !== undefined) expect.soft(stdout + stderr, where).toMatch(prints);
  for (const line of expected) expect.soft(stdout + stderr, where).toMatch(loosely(line));
}

/** Blanks count as one; `…` stands for anything, together with the digits of a hash before it. */
function loosely(line: string): RegExp {
  const escaped = line.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(escaped.replace(/\s+/g, "\\s+").replaceAll(/(\b[\da-f]{4})?…/g, ".*"));
}
