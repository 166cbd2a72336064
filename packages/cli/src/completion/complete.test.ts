import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { complete } from "./complete.ts";

const secret = new Command("secret")
  .argument("<name>")
  .addOption(new Option("--type <type>").choices(["regular", "image_pull"]))
  .option("--from-file <file>")
  .option("-p, --project <project>")
  .option("--yes");
const program = new Command("flyte-secrets")
  .helpCommand(false)
  .option("--org <org>")
  .addCommand(new Command("create").helpCommand(false).addCommand(secret))
  .addCommand(new Command("backup").argument("<file>"))
  .addCommand(new Command("hidden"), { hidden: true });

const words = (...line: string[]) => complete(program, line);

describe("completion", () => {
  it("offers commands by their beginning, and hides the hidden", () => {
    expect(words("")).toEqual({ words: ["create", "backup"], files: false });
    expect(words("cr")).toEqual({ words: ["create"], files: false });
    expect(words("create", "")).toEqual({ words: ["secret"], files: false });
  });

  it("offers the options of the command that was reached", () => {
    expect(words("create", "secret", "--")).toEqual({
      words: ["--type", "--from-file", "--project", "--yes", "--help"],
      files: false,
    });
    expect(words("--o")).toEqual({ words: ["--org"], files: false });
  });

  it("offers an option's choices, also in bash's three words for --type=", () => {
    const choices = { words: ["regular", "image_pull"], files: false };
    expect(words("create", "secret", "--type", "")).toEqual(choices);
    expect(words("create", "secret", "--type", "=")).toEqual(choices);
    expect(words("create", "secret", "--type", "=", "im")).toEqual({ words: ["image_pull"], files: false });
  });

  it("asks for file names where a file belongs", () => {
    expect(words("create", "secret", "n", "--from-file", "")).toEqual({ words: [], files: true });
    expect(words("backup", "")).toEqual({ words: [], files: true });
    expect(words("backup", "one", "")).toEqual({ words: [], files: false });
  });

  it("takes an option's value for what it is, not for a command", () => {
    expect(words("--org", "create", "")).toEqual({ words: ["create", "backup"], files: false });
    expect(words("--org", "")).toEqual({ words: [], files: false });
    expect(words("create", "secret", "--yes", "-p", "x", "--t")).toEqual({ words: ["--type"], files: false });
  });
});
