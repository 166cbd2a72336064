import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type CliContext, checkCommandLine, createOutput } from "@flyte-secrets/cli";
import { loadConfig } from "@flyte-secrets/config";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { blocksOf, type Command, commandsOf, readPage, userPages } from "./page-blocks.ts";
import { API_SERVER_PAGES, CLUSTER_PAGES, LAPTOP_PAGES } from "./page-lists.ts";
import { syntaxFault } from "./page-shell.ts";

const LANGUAGES = ["console", "sh", "python", "ts", "yaml", "json", "text", ""];
const pages = userPages();
const commands = (page: string) => blocksOf(page).flatMap(commandsOf);

const silent = new PassThrough();
const host: CliContext = {
  env: {},
  stdin: silent,
  stdout: createOutput(silent),
  stderr: createOutput(silent),
  home: "/nowhere",
  cwd: "/nowhere",
  nodeVersion: process.versions.node,
  interruption: () => new AbortController().signal,
  relaySignals: () => () => {},
};

/** Every call of our command in a script, as words; what only a shell knows (`$TOKEN`, `*`) stays as it is written. */
function callsIn({ text }: Command): string[][] {
  const joined = text.replaceAll("\\\n", " ");
  const calls = [
    ...joined.matchAll(
      /(?:^|[|;&({]|\bxargs\b|[A-Z_]+=\S+)\s*flyte-secrets((?:\s+(?:'[^']*'|"[^"]*"|[^\s|;&()])+)+)/gm,
    ),
  ];
  return calls.map(([, rest = ""]) => {
    const words = [...rest.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ""));
    const comment = words.indexOf("#");
    const kept = comment < 0 ? words : words.slice(0, comment);
    // Redirections are the shell's.
    return kept.filter((word, at) => !/^\d?[<>]/.test(word) && !/^\d?[<>]+$/.test(kept[at - 1] ?? ""));
  });
}

test("every page with something to type is followed by a test, or says why it isn't", () => {
  const withCommands = pages.filter((page) => commands(page).length > 0);
  const known = [
    "README.md",
    ...[LAPTOP_PAGES, API_SERVER_PAGES, CLUSTER_PAGES].flatMap((pages) => Object.keys(pages)),
  ];
  expect(withCommands.filter((page) => !known.includes(page))).toEqual([]);
  expect(known.filter((page) => !withCommands.includes(page))).toEqual([]);
});

test("every block says what language it is in", () => {
  const unknown = pages.flatMap((page) =>
    blocksOf(page)
      .filter(({ language }) => !LANGUAGES.includes(language))
      .map(({ line }) => `${page}:${line}`),
  );
  expect(unknown).toEqual([]);
});

test.each(pages.filter((page) => commands(page).length > 0))("%s: what it has people type exists", async (page) => {
  const faults: string[] = [];
  for (const command of commands(page)) {
    const where = `${page}:${command.line}`;
    const fault = await syntaxFault(command.text);
    if (fault !== undefined) faults.push(`${where}: ${fault}`);
    for (const words of callsIn(command)) {
      const wrong = /[A-Z]{4,}/.test(words.join(" ")) ? undefined : await checkCommandLine(words, host);
      if (wrong !== undefined) faults.push(`${where}: ${words.join(" ")}: ${wrong}`);
    }
  }
  expect(faults).toEqual([]);
});

test("nothing printed names a package that nobody has claimed, or a document that no user has", () => {
  // In the checkout npx and npm would find ours; anywhere else whoever registers the name.
  const unclaimed = /\b(npx|npm (i|install|exec)|yarn add|pnpm add)\s+(-\S+\s+)*@?flyte-secrets\b|spec page/;
  const found = pages.flatMap((page) => {
    const lines = readPage(page).split("\n");
    return lines.flatMap((text, at) => (unclaimed.test(text) ? [`${page}:${at + 1}: ${text}`] : []));
  });
  expect(found).toEqual([]);
});

test("YAML and JSON can be read, and what is configuration has settings that there are", () => {
  const directory = mkdtempSync(join(tmpdir(), "page-configuration-"));
  const faults: string[] = [];
  for (const page of pages) {
    for (const { language, text, line } of blocksOf(page)) {
      if (language !== "yaml" && language !== "json") continue;
      const documents = parseAllDocuments(text);
      for (const document of documents)
        faults.push(...document.errors.map(({ message }) => `${page}:${line}: ${message}`));
      const [first] = documents;
      const value: unknown =
        documents.length === 1 && first !== undefined && "toJS" in first ? first.toJS() : undefined;
      const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
      if (keys.length === 0 || !keys.every((key) => ["webhook", "secret", "otel", "logger", "actions"].includes(key)))
        continue;
      const file = join(directory, "config.yaml");
      writeFileSync(file, text);
      try {
        loadConfig({ files: [file], env: {}, flags: {}, home: directory, cwd: directory });
      } catch (error) {
        faults.push(`${page}:${line}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  rmSync(directory, { recursive: true });
  expect(faults).toEqual([]);
});
