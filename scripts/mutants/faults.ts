import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "./fault.ts";

/**
 * All faults that are planted, in the parts that decide about access, freshness, durability and leaks. A file of them
 * has, after a first line that says what they have in common, a line `=== FILE` for each file below `packages`, and
 * paragraphs such as
 *
 *     name: what goes wrong with it
 *     ? why no test can notice it
 *     - the text, there exactly once
 *     + what takes its place; nothing without such lines
 */
export function readFaults(): Fault[] {
  const directory = join(import.meta.dirname, "faults");
  return globSync("*.txt", { cwd: directory })
    .toSorted()
    .flatMap((file) => parseFaults(readFileSync(join(directory, file), "utf8"), file));
}

/** Throws for a paragraph of another form, naming it and `where`. */
export function parseFaults(text: string, where: string): Fault[] {
  const [, ...paragraphs] = text.trim().split(/\n\n+/);
  let file = "";
  return paragraphs.flatMap((paragraph) => {
    const [, target] = /^=== (\S+)$/.exec(paragraph) ?? [];
    if (target !== undefined) {
      file = `packages/${target}`;
      return [];
    }
    const [title = "", ...lines] = paragraph.split("\n");
    const [, name, harm] = /^([a-z0-9-]+): (.+)$/.exec(title) ?? [];
    const marked = (mark: string) => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
    const [find, replace, [explained]] = [marked("-"), marked("+"), marked("?")];
    if (name === undefined || harm === undefined || file === "" || find.length === 0) {
      throw new Error(`${where}: no fault: ${paragraph}`);
    }
    const change = { find: find.join("\n"), replace: replace.join("\n") };
    return [{ name, file, ...change, harm, ...(explained !== undefined && { explained }) }];
  });
}
