import { Command, Option } from "commander";
import { describe, expect, it } from "vitest";
import { success, useCliHome } from "../testing/use-cli-home.ts";
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

const at = useCliHome();
const completeLine = (...words: string[]) => at.call("__complete", "--", ...words);

it("offers the names, projects and domains of this user's own secrets", async () => {
  await at.keep({ "api-key": "x", "dev/api-token": "x", "prod/shop/api-key": "x", "prod/shop/db": "x" });
  expect(await completeLine("get", "secret", "api")).toEqual(success("api-key\napi-token\n"));
  expect(await completeLine("delete", "secret", "-p", "")).toEqual(success("shop\n"));
  expect(await completeLine("read", "d")).toEqual(success("db\n"));
  expect(await completeLine("name", "d")).toEqual(success(""));
  expect(await completeLine("update", "secret", "x", "--domain", "p")).toEqual(success("prod\n"));
  expect(await completeLine("create", "secret", "api")).toEqual(success(""));
  expect(await completeLine("get", "secret", "db", "")).toEqual(success(""));
});

it("offers nothing where there is no store, and asks nobody else's service", async () => {
  expect(await completeLine("get", "secret", "")).toEqual(success(""));
  at.env.FLYTE_ENDPOINT = "http://127.0.0.1:9";
  expect(await completeLine("get", "secret", "")).toEqual(success(""));
});
