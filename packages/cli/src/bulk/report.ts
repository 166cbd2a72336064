import { formatCount, formatSecretCount } from "../render/counts.ts";
import type { Copied } from "./copy-secrets.ts";
import type { Imported, ImportOutcome } from "./import-entries.ts";

/** Up to this many steps are listed one by one; of more, the first few of each kind. */
const MOST_LINES = 20;
const FIRST_FEW = 5;

export interface ListStepsOptions<Step> {
  readonly tell: (step: Step) => string;
  /** What was done: of many steps, each kind has its own first few. */
  readonly kindOf: (step: Step) => string;
}

/** A line for each step, or for many the first few of each kind and below them how many more there are of it. */
export function listSteps<Step>(steps: readonly Step[], { tell, kindOf }: ListStepsOptions<Step>): string[] {
  if (steps.length <= MOST_LINES) return steps.map(tell);
  return [...Map.groupBy(steps, kindOf).values()].flatMap((kind) => {
    // One more is no longer than its own line.
    if (kind.length <= FIRST_FEW + 1) return kind.map(tell);
    return [...kind.slice(0, FIRST_FEW).map(tell), `and ${formatCount(kind.length - FIRST_FEW)} more`];
  });
}

/** `: 3 created, 1 updated` where there are several kinds, else nothing. */
export function summarizeKinds(kinds: Readonly<Record<string, number>>): string {
  const parts = Object.entries(kinds).filter(([, number]) => number > 0);
  return parts.length > 1 ? `: ${parts.map(([kind, number]) => `${formatCount(number)} ${kind}`).join(", ")}` : "";
}

const nothingWritten = (dryRun: boolean) => (dryRun ? ", nothing written" : "");

export interface RenderCopiesOptions {
  readonly how: "copy" | "move";
  readonly where: string;
  readonly dryRun: boolean;
}

/** What `copy` or `move` did: the names, of many the first few, and how many of each kind. */
export function renderCopies(copied: readonly Copied[], { how, where, dryRun }: RenderCopiesOptions): string {
  const done = how === "move" ? "Moved" : "Copied";
  const verb = dryRun ? `Would ${how}` : done;
  const tell = ({ name, outcome }: Copied) => {
    if (outcome === "skipped") return `There already: ${name}`;
    return `${verb} secret ${name}${outcome === "replaced" ? ", over the one that is there" : ""}`;
  };
  const numberOf = (kind: Copied["outcome"]) => copied.filter(({ outcome }) => outcome === kind).length;
  const kinds = {
    [done.toLowerCase()]: numberOf("created"),
    replaced: numberOf("replaced"),
    "there already": numberOf("skipped"),
  };
  const sum = `${formatSecretCount(copied.length)} ${where}${summarizeKinds(kinds)}${nothingWritten(dryRun)}`;
  return `${[...listSteps(copied, { tell, kindOf: ({ outcome }) => outcome }), sum].join("\n")}\n`;
}

const WORDS: Readonly<Record<ImportOutcome, string>> = {
  create: "Created secret",
  update: "Updated secret",
  skip: "There already:",
};
const DRY_WORDS: Readonly<Record<ImportOutcome, string>> = {
  create: "Would create secret",
  update: "Would update secret",
  skip: "There already:",
};

/** What an import did: the names, of many the first few, and how many of each kind. */
export function renderImport(
  imported: readonly Imported[],
  { where, dryRun }: { readonly where: string; readonly dryRun: boolean },
): string {
  const words = dryRun ? DRY_WORDS : WORDS;
  const numberOf = (kind: ImportOutcome) => imported.filter(({ how }) => how === kind).length;
  const kinds = { created: numberOf("create"), updated: numberOf("update"), "there already": numberOf("skip") };
  const sum = `${formatSecretCount(imported.length)} ${where}${summarizeKinds(kinds)}${nothingWritten(dryRun)}`;
  const tell = ({ name, how }: Imported) => `${words[how]} ${name}`;
  return `${[...listSteps(imported, { tell, kindOf: ({ how }) => how }), sum].join("\n")}\n`;
}
