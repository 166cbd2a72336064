import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** A fenced block of a page that users read. */
export interface Block {
  readonly line: number;
  /** Empty for a block that names none. */
  readonly language: string;
  readonly text: string;
  /** The last line of prose above it. */
  readonly above: string;
}

/** What somebody types, and what the page shows of the answer. */
export interface Command {
  readonly line: number;
  readonly text: string;
  readonly expected: readonly string[];
}

/** The pages that users read, below the repository's root. Decisions are for those who change the code. */
export function userPages(): string[] {
  const patterns = ["README.md", "SECURITY.md", "docs/*.md", "packages/*/README.md", "examples/README.md"];
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).toSorted();
}

export function readPage(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

/** The blocks of a page in their order, also those of lists, whose text is indented. */
export function blocksOf(page: string): Block[] {
  const lines = readPage(page).split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, indent = "", language = ""] = /^( *)```(\w*)$/.exec(lines[at] ?? "") ?? [];
    if (!/^ *```/.test(lines[at] ?? "")) continue;
    const end = lines.findIndex((line, index) => index > at && line === `${indent}\`\`\``);
    if (end < 0) throw new Error(`${page}:${at + 1}: a block without end`);
    const text = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    const above = lines.slice(0, at).findLast((line) => line.trim() !== "") ?? "";
    blocks.push({ line: at + 1, language, text: `${text.join("\n")}\n`, above });
    at = end;
  }
  return blocks;
}

/**
 * The commands of a block: those behind `$` of `console` and of a help text, all of `sh` as one. None for other
 * languages.
 */
export function commandsOf({ language, text, line }: Block): Command[] {
  if (language === "sh") return [{ line: line + 1, text: text.trimEnd(), expected: [] }];
  if (language !== "console" && language !== "text") return [];
  const commands: { line: number; text: string; expected: string[] }[] = [];
  for (const [index, row] of text.split("\n").entries()) {
    const last = commands.at(-1);
    const typed = /^ {0,2}\$ (.*)$/.exec(row)?.[1];
    if (typed !== undefined) commands.push({ line: line + index + 1, text: typed, expected: [] });
    else if (last?.text.endsWith("\\") && last.expected.length === 0) last.text += `\n${row}`;
    else if (last !== undefined && row.trim() !== "" && language === "console") last.expected.push(row);
  }
  return commands;
}
