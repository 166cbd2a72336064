import { escapeControls } from "@flyte-secrets/core";
import { about, describe } from "./describe-verdict.ts";
import type { Verdict } from "./verdict.ts";

/**
 * Verdicts as a JUnit report: a test suite for each file, a test case for each verdict, which fails where the verdict
 * is an error. What else there is to say stands in its output.
 */
export function renderJunit(verdicts: readonly Verdict[]): string {
  const files = [...new Set(verdicts.map(({ file }) => file))];
  const suites = files.map((file) =>
    toSuite(
      file,
      verdicts.filter((one) => one.file === file),
    ),
  );
  const counts = countsOf(verdicts);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes(counts)}>`,
    ...suites,
    "</testsuites>\n",
  ].join("\n");
}

function toSuite(file: string, verdicts: readonly Verdict[]): string {
  const cases = verdicts.map((one) => {
    const named = attributes({ classname: file, name: about(one), time: "0" });
    if (one.level === "ok") return `    <testcase${named}/>`;
    const text = escapeXml(describe(one));
    const inside =
      one.level === "error"
        ? `<failure${attributes({ message: one.message, type: one.code })}>${text}</failure>`
        : `<system-out>${one.level}: ${text}</system-out>`;
    return `    <testcase${named}>${inside}</testcase>`;
  });
  return [`  <testsuite${attributes({ name: file, ...countsOf(verdicts) })}>`, ...cases, "  </testsuite>"].join("\n");
}

function countsOf(verdicts: readonly Verdict[]) {
  const failures = verdicts.filter(({ level }) => level === "error").length;
  return { tests: String(verdicts.length), failures: String(failures), errors: "0", skipped: "0", time: "0" };
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join("");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 has no way to write control characters, halves of pairs and U+FFFE, U+FFFF. */
function escapeXml(text: string): string {
  return escapeControls(text)
    .replaceAll(/[\ufffe\uffff]/g, "\ufffd")
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
