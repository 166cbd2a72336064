import { count, countSecrets } from "../bulk/count.ts";
import type { Imported, ImportOutcome } from "../import/import-entries.ts";

/** So many are told one by one; of more, the first few. */
const MOST_LINES = 20;
const FIRST_FEW = 5;

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
  const told = imported.length > MOST_LINES ? imported.slice(0, FIRST_FEW) : imported;
  const lines = told.map(({ name, how }) => `${words[how]} ${name}`);
  if (told.length < imported.length) lines.push(`and ${count(imported.length - told.length)} more`);
  const kinds = { created: numberOf("create"), updated: numberOf("update"), "there already": numberOf("skip") };
  const parts = Object.entries(kinds).filter(([, number]) => number > 0);
  const detail = parts.length > 1 ? `: ${parts.map(([kind, number]) => `${count(number)} ${kind}`).join(", ")}` : "";
  lines.push(`${countSecrets(imported.length)} ${where}${detail}${dryRun ? ", nothing written" : ""}`);
  return `${lines.join("\n")}\n`;

  function numberOf(kind: ImportOutcome): number {
    return imported.filter(({ how }) => how === kind).length;
  }
}
