import { expect, test } from "vitest";
import { renderVerdicts } from "./render-verdicts.ts";
import { CHECK_FORMATS, VERDICTS, type Verdict, verdict } from "./verdict.ts";

const NASTY = `a%b\n,c:d::error::<&">]]>\u0007\ufffe\u202e`;
const all: Verdict[] = [
  verdict("found", { file: "tasks.ts", subject: "task a", secret: "k", message: "project shop, domain dev" }),
  verdict("broader", { file: "tasks.ts", subject: "task a", secret: "g/k", message: "global scope" }),
  verdict("missing", {
    file: "a b/é.py",
    subject: "task b",
    secret: "x",
    message: "it was not found",
    remedy: "create",
  }),
  verdict("unused", { file: NASTY, subject: NASTY, secret: NASTY, message: NASTY }),
];

test("a table has all of them, with their level unless they are as they should be", () => {
  expect(renderVerdicts(all.slice(0, 3), "table-simple")).toBe(
    "file      asks    secret  verdict         why\n" +
      "tasks.ts  task a  k       found           project shop, domain dev\n" +
      "tasks.ts  task a  g/k     note: broader   global scope\n" +
      "a b/é.py  task b  x       error: missing  it was not found. create\n",
  );
});

test("GitHub gets a command a line for what is to be said, and nothing that is another command", () => {
  const lines = renderVerdicts(all, "github").split("\n");
  expect(lines).toHaveLength(4);
  expect(lines.slice(0, 2)).toEqual([
    "::notice file=tasks.ts,line=1,title=task a%3A g/k::global scope",
    "::error file=a b/é.py,line=1,title=task b%3A x::it was not found. create",
  ]);
  const property = 'a%25b%0A%2Cc%3Ad%3A%3Aerror%3A%3A<&">]]>\u0007\ufffe\u202e';
  expect(lines[2]).toBe(
    `::warning file=${property},line=1,title=${property}%3A ${property}::a%25b%0A,c:d::error::<&">]]>\u0007\ufffe\u202e`,
  );
});

test("SARIF has a rule for each code, and paths as addresses", () => {
  const { runs } = JSON.parse(renderVerdicts(all, "sarif"));
  expect(runs[0].tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(Object.keys(VERDICTS));
  expect(runs[0].results.map(({ ruleId, level }: Record<string, string>) => [ruleId, level])).toEqual([
    ["broader", "note"],
    ["missing", "error"],
    ["unused", "warning"],
  ]);
  expect(runs[0].results[1].locations[0].physicalLocation.artifactLocation.uri).toBe("a%20b/%C3%A9.py");
  for (const { ruleId, ruleIndex } of runs[0].results) expect(runs[0].tool.driver.rules[ruleIndex].id).toBe(ruleId);
});

test("JUnit has a case for each, which fails for an error", () => {
  const report = renderVerdicts(all.slice(0, 3), "junit");
  expect(report).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" skipped="0" time="0">
  <testsuite name="tasks.ts" tests="2" failures="0" errors="0" skipped="0" time="0">
    <testcase classname="tasks.ts" name="task a: k" time="0"/>
    <testcase classname="tasks.ts" name="task a: g/k" time="0"><system-out>note: global scope</system-out></testcase>
  </testsuite>
  <testsuite name="a b/é.py" tests="1" failures="1" errors="0" skipped="0" time="0">
    <testcase classname="a b/é.py" name="task b: x" time="0"><failure message="it was not found" type="missing">it was not found. create</failure></testcase>
  </testsuite>
</testsuites>
`,
  );
  for (const character of "\u0007\ufffe\u202e") expect(renderVerdicts(all, "junit")).not.toContain(character);
});

test.each(CHECK_FORMATS)("%s of nothing is nothing that breaks its readers", (format) => {
  const text = renderVerdicts([], format);
  expect(text === "" || text.endsWith("\n")).toBe(true);
});
