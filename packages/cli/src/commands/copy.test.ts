import { describe, expect, it } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-copy-5a7";
const TO = ["--to-project", "shop", "--to-domain", "prod"];
const FROM = ["-p", "shop", "-d", "dev"];
const WHERE = "from project shop, domain dev to project shop, domain prod";
const NEW = { stderr: "note: new scope: project shop, domain prod has no secrets yet\n" };
const ALREADY = "Nothing was written; --skip-existing leaves them as they are, --overwrite gives them the other value";

describe("copy", () => {
  it("copies named secrets or all of one scope, values unseen, and leaves the sources", async () => {
    await at.keep({ "dev/shop/a": CANARY, "dev/shop/b": Uint8Array.of(0, 255), "dev/c": "other scope", d: "global" });
    expect(await at.call("copy", "a", ...FROM, ...TO)).toEqual({
      ...success(`Copied secret a\n1 secret ${WHERE}\n`),
      ...NEW,
    });
    expect([await at.kept("a", "prod", "shop"), await at.kept("a", "dev", "shop")]).toEqual([CANARY, CANARY]);
    expect(await at.call("copy", "--all", ...FROM, ...TO)).toEqual(failure(1, `already there: a. ${ALREADY}`));
    expect(await at.kept("b", "prod", "shop")).toBeUndefined();
    const skipping = [...FROM, ...TO, "--skip-existing"];
    expect(await at.call("copy", "--all", ...skipping, "--dry-run")).toEqual(
      success(
        `There already: a\nWould copy secret b\n2 secrets ${WHERE}: 1 copied, 1 there already, nothing written\n`,
      ),
    );
    expect(await at.call("copy", "--all", ...skipping)).toEqual(
      success(`There already: a\nCopied secret b\n2 secrets ${WHERE}: 1 copied, 1 there already\n`),
    );
    const exported = await at.call("export", "--with-values", "-p", "shop", "-d", "prod");
    expect(JSON.parse(exported.stdout)).toEqual({ a: CANARY, b: { base64: "AP8=" } });
  });

  it("says that the target is a new scope, with the nearest one that has secrets", async () => {
    await at.keep({ "dev/shop/a": CANARY, "production/shop/b": "b" });
    const result = await at.call("copy", "a", ...FROM, "--to-project", "shp", "--to-domain", "production");
    expect(result).toMatchObject({
      exitCode: 0,
      stderr:
        "note: new scope: project shp, domain production has no secrets yet; did you mean project shop, domain production?\n",
    });
  });

  it("takes --local, as create and get do: it works on this machine's store anyway", async () => {
    await at.keep({ "dev/shop/a": CANARY });
    expect((await at.call("copy", "a", ...FROM, "--to-name", "b", "--local")).exitCode).toBe(0);
    expect((await at.call("move", "b", ...FROM, "--to-name", "c", "--local")).exitCode).toBe(0);
    expect((await at.call("export", ...FROM, "--local")).exitCode).toBe(0);
  });

  it("counts a name once that is there twice", async () => {
    await at.keep({ "dev/shop/a": CANARY, "dev/shop/b": "b" });
    expect(await at.call("copy", "a", "b", "a", ...FROM, ...TO)).toEqual({
      ...success(`Copied secret a\nCopied secret b\n2 secrets ${WHERE}\n`),
      ...NEW,
    });
    expect(await at.call("move", "a", "a", ...FROM, "--to-name", "c")).toMatchObject({ exitCode: 0 });
    expect(await at.kept("c", "dev", "shop")).toBe(CANARY);
  });

  it("replaces what is there when told to", async () => {
    await at.keep({ "dev/shop/a": CANARY, "prod/shop/a": "old" });
    expect(await at.call("copy", "a", ...FROM, ...TO, "--overwrite")).toEqual(
      success(`Copied secret a, over the one that is there\n1 secret ${WHERE}\n`),
    );
    expect(await at.kept("a", "prod", "shop")).toBe(CANARY);
  });

  it("needs no server, and one that runs serves the copy at once", async () => {
    await at.keep({ a: CANARY });
    await using _server = await at.serve();
    expect(await at.call("copy", "a", "--to-domain", "dev")).toMatchObject({ exitCode: 0 });
    expect(await at.call("get", "secret", "a", "-d", "dev")).toMatchObject({ exitCode: 0 });
  });
});

describe("move", () => {
  it("moves to another scope or name, and the source is gone", async () => {
    await at.keep({ "dev/shop/a": CANARY, "dev/shop/b": "b" });
    expect(await at.call("move", "a", "b", ...FROM, ...TO)).toEqual({
      ...success(`Moved secret a\nMoved secret b\n2 secrets ${WHERE}\n`),
      ...NEW,
    });
    expect([await at.kept("a", "prod", "shop"), await at.kept("a", "dev", "shop")]).toEqual([CANARY, undefined]);
    expect(await at.call("move", "a", "-p", "shop", "-d", "prod", "--to-name", "c")).toMatchObject({ exitCode: 0 });
    expect([await at.kept("c", "prod", "shop"), await at.kept("a", "prod", "shop")]).toEqual([CANARY, undefined]);
    await at.keep({ "prod/shop/d": "d", "dev/shop/d": "kept" });
    expect(
      await at.call(
        "move",
        "d",
        "-p",
        "shop",
        "-d",
        "prod",
        "--to-project",
        "shop",
        "--to-domain",
        "dev",
        "--skip-existing",
      ),
    ).toMatchObject({ exitCode: 0 });
    expect([await at.kept("d", "prod", "shop"), await at.kept("d", "dev", "shop")]).toEqual(["d", "kept"]);
  });

  it("moves many, several at a time, and loses none", async () => {
    const many = Array.from({ length: 250 }, (_, index) => [`dev/k${index}`, `v${index}`] as const);
    await at.keep(Object.fromEntries(many));
    expect(await at.call("move", "--all", "-d", "dev", "--to-global")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\nand 245 more\n250 secrets from domain dev to global scope\n$/),
    });
    const exported = JSON.parse((await at.call("export", "--with-values")).stdout);
    expect(exported).toEqual(Object.fromEntries(many.map(([path, value]) => [path.slice(4), value])));
    expect(JSON.parse((await at.call("export", "-d", "dev")).stdout)).toEqual({});
  });
});

describe("what is refused before anything is written", () => {
  it.each<[string, string[], number, string]>([
    ["no names", [...FROM, ...TO], 2, "say which secrets: their names, or --all"],
    ["names and --all", ["a", "--all", ...TO], 2, "--all cannot be used with a name"],
    ["no target", ["a"], 2, "say where to: --to-project and --to-domain, --to-domain, --to-global or --to-name"],
    ["a project without its domain", ["a", "--to-project", "x"], 2, "--to-project needs --to-domain"],
    [
      "the same place",
      ["a", ...FROM, "--to-project", "shop", "--to-domain", "dev"],
      2,
      "source and target are the same",
    ],
    ["one name for two", ["a", "b", "--to-name", "c"], 2, "--to-name is for one secret"],
    ["all of a scope without any", ["--all", "-d", "void", "--to-global"], 1, "there are no secrets at domain void"],
    ["a secret that is not there", ["a", "nope", ...FROM, ...TO], 1, "not found: nope. Nothing was written"],
    [
      "an image-pull secret of a domain",
      ["pull", "--to-domain", "dev"],
      1,
      "pull: an image-pull secret has neither project nor domain. Nothing was written",
    ],
  ])("%s", async (_, args, exitCode, message) => {
    await at.keep({ "dev/shop/a": CANARY, a: CANARY, b: "b" });
    await at.keep({ pull: '{"auths":{}}' }, "image_pull");
    expect(await at.call("move", ...args)).toEqual(failure(exitCode, message));
    expect(await at.kept("a", "dev", "shop")).toBe(CANARY);
  });
});
