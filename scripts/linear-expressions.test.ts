import { join } from "node:path";
import { checkSync } from "recheck";
import { expect, test } from "vitest";
import { type FoundExpression, findExpressions } from "./linear-expressions.ts";

const ROOT = join(import.meta.dirname, "..");

/**
 * Why an expression may take more than linear time: nobody but those who run the program choose the text that it sees.
 */
const REVIEWED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "packages/cli/src/describe-failure.ts": {
    "/\\(Did you mean .*\\?\\)$/": "sees commander's own message about the user's own command line",
  },
  "packages/cli/src/formats/dotenv-format.ts": {
    "/(^|\\/)\\.env(\\..*)?$|\\.env$/": "sees the name of a file that the user names",
  },
  "packages/cli/src/project-file/find-violation.ts": {
    'new RegExp(schema.pattern, "u")':
      "sees a text that the schema has found short enough, 2,048 characters at the most",
  },
  "packages/cli/src/run/emulate-kubelet.ts": {
    "/\\$(?:\\$|\\(([^)]*)\\))/g": "sees the variables of the user's own task",
  },
  "packages/sdk/src/to-pod.ts": { "/^-+|-+$/g": "sees 63 characters at the most" },
  "packages/service/src/invalidation.ts": { "/^([^/?#]*)(.*)$/": "sees a setting" },
  "packages/http/src/telemetry/logger.ts": {
    "/([^\\\\/(]+:\\d+):\\d+\\)?$/": "sees a line of our own stack, without the message",
  },
  "packages/webhook/src/binding/namespace-template.ts": { "/(\\{\\{.*?\\}\\})/": "sees a setting" },
};

/** Undefined for an expression that takes linear time, whatever it is given. */
function faultOf({ pattern }: FoundExpression): string | undefined {
  if (pattern === undefined) return "is not known before the program runs";
  // Automata know for sure and give up on some; the others are attacked. No limit of time: a busy machine would change
  // the answer.
  const sure = checkSync(pattern.source, pattern.flags, { checker: "automaton", timeout: null });
  const result =
    sure.status === "unknown" ? checkSync(pattern.source, pattern.flags, { checker: "fuzz", timeout: null }) : sure;
  if (result.status === "safe") return undefined;
  return result.status === "vulnerable" ? result.complexity.summary : `could not be judged: ${result.error.kind}`;
}

test("every regular expression that foreign text reaches takes time that grows with the text's length", {
  timeout: 300_000,
}, () => {
  const found = findExpressions(ROOT);
  // As many as there were when this was written: a reader that finds nothing has nothing to complain of.
  expect(found.length).toBeGreaterThan(140);
  const different = new Map(found.map((one) => [`${one.file} ${one.text}`, one]));
  const faults: Record<string, Record<string, string>> = {};
  for (const one of different.values()) {
    const fault = faultOf(one);
    if (fault !== undefined) faults[one.file] = { ...faults[one.file], [one.text]: fault };
  }
  const reviewed = (file: string, text: string) => REVIEWED[file]?.[text] !== undefined;
  const unreviewed = Object.entries(faults).flatMap(([file, texts]) =>
    Object.entries(texts)
      .filter(([text]) => !reviewed(file, text))
      .map(([text, fault]) => `${file}: ${text} ${fault}`),
  );
  expect(unreviewed).toEqual([]);
  const outdated = Object.entries(REVIEWED).flatMap(([file, texts]) =>
    Object.keys(texts).filter((text) => faults[file]?.[text] === undefined),
  );
  expect(outdated).toEqual([]);
});

test("an expression that takes the square, or worse, is told", () => {
  const faults = [/\/+$/, /^(?:\d+\.?\d*h)+$/, /^[a-z]+$/].map((pattern) =>
    faultOf({ file: "x.ts", text: String(pattern), pattern }),
  );
  expect(faults).toEqual(["2nd degree polynomial", "exponential", undefined]);
});
