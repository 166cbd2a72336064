import { countSecrets } from "../bulk/count.ts";
import type { Imported, ImportOutcome } from "../import/import-entries.ts";
import { toldKinds, toldSteps } from "./told-steps.ts";

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
  const sum = `${countSecrets(imported.length)} ${where}${toldKinds(kinds)}${dryRun ? ", nothing written" : ""}`;
  const tell = ({ name, how }: Imported) => `${words[how]} ${name}`;
  return `${[...toldSteps(imported, { tell, kindOf: ({ how }) => how }), sum].join("\n")}\n`;
}
