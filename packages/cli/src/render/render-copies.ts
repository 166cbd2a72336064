import type { Copied } from "../bulk/copy-secrets.ts";
import { countSecrets } from "../bulk/count.ts";
import { toldKinds, toldSteps } from "./told-steps.ts";

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
  const sum = `${countSecrets(copied.length)} ${where}${toldKinds(kinds)}${dryRun ? ", nothing written" : ""}`;
  return `${[...toldSteps(copied, { tell, kindOf: ({ outcome }) => outcome }), sum].join("\n")}\n`;
}
