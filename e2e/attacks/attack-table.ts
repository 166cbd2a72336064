import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import type { AttackReport } from "./under-attack.ts";

/** One attack as the table has it. */
export interface AttackRow extends AttackReport {
  readonly file: string;
  readonly attack: string;
}

/**
 * Prints one table of all attacks when a run is over: what the program's memory came to, and how its good client was
 * served.
 */
export class AttackTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => rowsOf(test, relative(import.meta.dirname, module.moduleId))),
    );
    if (rows.length > 0) console.log(`\n${renderAttacks(rows)}`);
  }
}

function rowsOf(test: TestCase, file: string): AttackRow[] {
  return (test.meta().attacks ?? []).map((report) => ({ ...report, file, attack: test.fullName }));
}

/** The attacks as a Markdown table, in the order in which they came. */
export function renderAttacks(rows: readonly AttackRow[]): string {
  return [
    "| file | attack | peak MiB | good client's answers | its failures | its slowest answer in ms |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    ...rows.map(({ file, attack, peakMib, answered, failures, slowestMs }) => {
      const cells = [file.replace(/\.test\.ts$/, ""), toCell(attack), peakMib, answered, failures.length, slowestMs];
      return `| ${cells.join(" | ")} |`;
    }),
  ].join("\n");
}

function toCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
}
