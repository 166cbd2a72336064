import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { normalizeArgv } from "./normalize-argv.ts";

const program = new Command()
  .addCommand(new Command("run"))
  .addCommand(new Command("secret").option("--value <value>").option("-p, --project <p>"));
program.option("--yes");

describe("the spelling of a command line", () => {
  it.each([
    ["Flyte's -of", ["-of", "json"], ["--output-format", "json"]],
    ["-of with the value attached", ["-of=json"], ["--output-format=json"]],
    ["-of as another option's value", ["--value", "-of", "-p", "-of"], ["--value", "-of", "-p", "-of"]],
    ["-of after a switch", ["--yes", "-of"], ["--yes", "--output-format"]],
    ["-of after --", ["--", "-of"], ["--", "-of"]],
    ["a setting", ["--secret.server.port", "9"], ["--section.path=secret.server.port=9"]],
    ["a setting with = in its value", ["--a.b=c=d"], ["--section.path=a.b=c=d"]],
    ["a setting of several lines", ["--a.b", "c\nd"], ["--section.path=a.b=c\nd"]],
    ["a setting with dashes", ["--webhook.metrics-prefix", "x"], ["--section.path=webhook.metrics-prefix=x"]],
    ["a switch without value", ["--a.b", "--yes"], ["--section.path=a.b=true", "--yes"]],
    ["a switch at the end", ["--a.b"], ["--section.path=a.b=true"]],
    ["a setting as another option's value", ["--value", "--a.b", "c"], ["--value", "--a.b", "c"]],
    [
      "nothing behind a Python task",
      ["-p", "p", "run", "--yes", "a.py", "main", "--x.y", "-of"],
      ["-p", "p", "run", "--yes", "a.py", "main", "--", "--x.y", "-of"],
    ],
    ["nothing behind one's own --", ["run", "a.py", "main", "--", "-of"], ["run", "a.py", "main", "--", "-of"]],
    ["what is behind a TypeScript task", ["run", "a.ts", "main", "-of"], ["run", "a.ts", "main", "--output-format"]],
    ["a value that is --", ["--value", "--", "-of"], ["--value", "--", "--output-format"]],
  ])("leaves or rewrites %s", (_, argv, expected) => {
    expect(normalizeArgv(argv, program)).toEqual(expected);
  });
});
