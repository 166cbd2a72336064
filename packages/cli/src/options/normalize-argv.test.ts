import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { normalizeArgv } from "./normalize-argv.ts";

const program = new Command().addCommand(new Command("secret").option("--value <value>").option("-p, --project <p>"));
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
    ["a value that is --", ["--value", "--", "-of"], ["--value", "--", "--output-format"]],
  ])("leaves or rewrites %s", (_, argv, expected) => {
    expect(normalizeArgv(argv, program)).toEqual(expected);
  });
});
