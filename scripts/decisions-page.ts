import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const DIRECTORY = join(import.meta.dirname, "../docs/decisions");

const HEAD = `# Decisions

These records hold the decisions that somebody could undo. Each has the sections *Decision*, *Why*, *Instead of* and
*Consequences*. A number is never given to another decision. Details have no record: their reasons are comments in the
code. Whoever changes a decision writes a new record and sets the old one's status to \`superseded by N\`. The
format is that of [MADR](https://adr.github.io/madr/), shortened.

| number | decision | status | date |
| --- | --- | --- | --- |
`;

export interface DecisionRecord {
  readonly file: string;
  readonly number: number;
  readonly title: string;
  readonly status: string;
  readonly date: string;
  /** The directory, below the repository's root, that the decision is about. */
  readonly where: string;
  readonly sections: readonly string[];
}

/** The records of `docs/decisions`, by number. Throws for one that does not have the form. */
export function readDecisions(): DecisionRecord[] {
  return globSync("[0-9]*.md", { cwd: DIRECTORY })
    .map((file) => parseDecision(file, readFileSync(join(DIRECTORY, file), "utf8")))
    .sort((a, b) => a.number - b.number);
}

/** `docs/decisions/README.md`: the index of all records. */
export function renderDecisionsPage(): string {
  const rows = readDecisions().map(
    ({ file, number, title, status, date }) => `| ${number} | [${title}](${file}) | ${status} | ${date} |\n`,
  );
  return HEAD + rows.join("");
}

function parseDecision(file: string, text: string): DecisionRecord {
  const head = /^# (\d+)\. (.+)\n\n- Status: (.+)\n- Date: (\d{4}-\d\d-\d\d)\n- Where: `(.+)`\n/.exec(text);
  if (head === null) throw new Error(`${file} does not begin with number, title, status, date and place`);
  const [, number = "", title = "", status = "", date = "", where = ""] = head;
  const sections = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1] ?? "");
  return { file, number: Number(number), title, status, date, where, sections };
}
