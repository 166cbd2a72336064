import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

interface Listed {
  readonly id: { readonly name: string; readonly project?: string; readonly domain?: string };
  readonly secretMetadata: { readonly createdTime: string };
}

const SECRETS = {
  "openai-key": "x",
  "dev/hf-token": "x",
  "dev/shop/db-password": "x",
  "prod/shop/db-password": "x",
};

/** What `get secret` prints, in a format that has no times. */
const names = async (...args: string[]) =>
  (await at.call("get", "secret", "-o", "name", ...args)).stdout.trim().split("\n");

describe("get secret", () => {
  it("lists in each format, without clusters for this user's own", async () => {
    await using _server = await at.serve();
    await at.keep({ ...SECRETS, "prod/shop/=odd": "x" });
    const listed: Listed[] = JSON.parse((await at.call("get", "secret", "-d", "prod", "-o", "json-raw")).stdout);
    const [first, second] = listed.map(({ secretMetadata }) => secretMetadata.createdTime) as [string, string];
    const short = (time: string) => `${time.slice(0, 16).replace("T", " ")}Z`;
    expect(await at.call("get", "secret", "-d", "prod", "-o", "table-simple")).toEqual(
      success(
        "name         project  domain  updated\n" +
          `=odd         shop     prod    ${short(first)}\n` +
          `db-password  shop     prod    ${short(second)}\n`,
      ),
    );
    expect(await at.call("-of", "table", "get", "secret", "-d", "dev", "--filter", "hf")).toMatchObject({
      stdout: expect.stringMatching(
        /^┌─+┬.*\n│ name {5}│ project │ domain │ updated .*│\n├.*\n│ hf-token │ - {7}│ dev {4}│/,
      ),
    });
    expect(await at.call("get", "secret", "-d", "prod", "-o", "wide")).toEqual(
      success(
        "name         project  domain  type     created            updated\n" +
          `=odd         shop     prod    regular  ${short(first)}  ${short(first)}\n` +
          `db-password  shop     prod    regular  ${short(second)}  ${short(second)}\n`,
      ),
    );
    expect(await at.call("get", "secret", "-d", "prod", "-o", "csv")).toEqual(
      success(
        "name,project,domain,type,created,updated\r\n" +
          `'=odd,shop,prod,regular,${first},${first}\r\n` +
          `db-password,shop,prod,regular,${second},${second}\r\n`,
      ),
    );
    expect(await names("-d", "prod")).toEqual(["shop/=odd", "shop/db-password"]);
    expect(await names("-d", "prod", "-p", "shop")).toEqual(["=odd", "db-password"]);
    expect(await names()).toContain("dev/hf-token");
    expect((await at.call("get", "secret", "hf-token", "-d", "dev", "-o", "yaml")).stdout).toMatch(
      /^id:\n {2}name: hf-token\n {2}domain: dev\n/,
    );
    expect((await at.call("get", "secret", "hf-token", "-d", "dev")).stdout).toMatch(/│ hf-token │ - {7}│ dev {4}│/);
    const one = await at.call("get", "secret", "hf-token", "-d", "dev", "-o", "json");
    expect(JSON.parse(one.stdout).id.name).toBe("hf-token");
  });

  it("names clusters of somebody else's service, and the type where there are several", async () => {
    await using server = await at.serve();
    await at.keep({ a: "x" });
    await at.keep({ pull: '{"auths":{}}' }, "image_pull");
    const { stdout } = await at.call("get", "secret", "-o", "table-simple");
    expect(stdout).toMatch(/^name {2}project {2}domain {2}type {8}updated\n/);
    at.env.SECRET_STORE_PATH = join(at.home, "other");
    at.env.FLYTE_SECRETS_TOKEN = server.token;
    const wide = await at.call("get", "secret", "-o", "wide", "--endpoint", server.endpoint);
    expect(wide.stdout).toMatch(/ status {9}clusters\na .* FULLY_PRESENT {2}flyte-devbox: PRESENT\n/);
  });

  it("chooses by pattern, limit and order", async () => {
    await using _server = await at.serve();
    await at.keep(SECRETS);
    expect(await names("--sort", "name")).toEqual([
      "dev/shop/db-password",
      "prod/shop/db-password",
      "dev/hf-token",
      "openai-key",
    ]);
    expect(await names("--filter", "KEY")).toEqual(["openai-key"]);
    expect(await names("db-*")).toEqual(["dev/shop/db-password", "prod/shop/db-password"]);
    expect(await names("db-password", "--all-scopes")).toEqual(["dev/shop/db-password", "prod/shop/db-password"]);
    expect(await names("--all-scopes")).toHaveLength(4);
    const few = await at.call("get", "secret", "-o", "name", "--sort", "name", "--limit", "3");
    expect(few).toEqual({
      ...few,
      stdout: "dev/shop/db-password\nprod/shop/db-password\ndev/hf-token\n",
      stderr: "note: there are more than these 3 (--limit)\n",
    });
    expect((await at.call("get", "secret", "--limit", "4")).stderr).toBe("");
    writeFileSync(join(at.home, "value"), "y");
    await at.call("update", "secret", "hf-token", "-d", "dev", "--from-file", "value");
    expect((await names("--sort", "updated"))[0]).toBe("dev/hf-token");
  });

  it("says that there is none, where people read it", async () => {
    await using _server = await at.serve();
    expect(await at.call("get", "secret")).toEqual({ exitCode: 0, stdout: "", stderr: "no secrets\n" });
    expect(await at.call("get", "secret", "x*", "-d", "dev")).toEqual({
      exitCode: 0,
      stdout: "",
      stderr: "no secrets named x* (domain dev)\n",
    });
    expect(await at.call("get", "secret", "-o", "json-raw")).toEqual(success("[]\n"));
    await at.keep(SECRETS);
    expect((await at.call("get", "secret", "-p", "shp", "-d", "dev")).stderr).toBe(
      "no secrets (project shp, domain dev); did you mean project shop, domain dev?\n",
    );
  });

  it("refuses what makes no sense together", async () => {
    const refused: [string[], string][] = [
      [["--all-scopes", "-d", "dev"], "--all-scopes cannot be used with --domain"],
      [["a", "--filter", "b"], "a name cannot be used with --filter"],
      [["a", "--limit", "2"], "a name cannot be used with --limit"],
      [["--limit", "0"], "--limit takes a number of secrets, 1 or more"],
      [["-p", "shop"], "--project needs --domain"],
    ];
    for (const [args, line] of refused) expect(await at.call("get", "secret", ...args)).toEqual(failure(2, line));
    expect(await at.call("-o", "csv", "explain", "x")).toEqual(
      failure(2, "--output-format of explain is one of table, table-simple, json, json-raw"),
    );
  });
});

describe("a secret that isn't there", () => {
  it("is said to be at another scope, or to have a similar name, by every command", async () => {
    await using _server = await at.serve();
    await at.keep(SECRETS);
    const missing = (rest: string) => failure(1, `secret ${rest}`);
    for (const verb of [["get"], ["delete"], ["update", "--from-file", "not-read"]]) {
      const [word = "", ...rest] = verb;
      expect(await at.call(word, "secret", "db-password", ...rest)).toEqual(
        missing("db-password not found (global scope); it is at -p shop -d dev, -p shop -d prod"),
      );
      expect(await at.call(word, "secret", "openai-kee", ...rest)).toEqual(
        missing("openai-kee not found (global scope); did you mean openai-key?"),
      );
      expect(await at.call(word, "secret", "openai-key", "-d", "dev", ...rest)).toEqual(
        missing("openai-key not found (domain dev); it is at global scope (no -p, no -d)"),
      );
      expect(await at.call(word, "secret", "nothing", ...rest)).toEqual(missing("nothing not found (global scope)"));
    }
  });

  it("names a few of many places", async () => {
    await using _server = await at.serve();
    await at.keep(Object.fromEntries(["a", "b", "c", "d", "e"].map((domain) => [`${domain}/many`, "x"])));
    expect((await at.call("get", "secret", "many")).stderr).toBe(
      "error: secret many not found (global scope); it is at -d a, -d b, -d c and 2 more: get secret many --all-scopes\n",
    );
  });
});

describe("create", () => {
  it("says that a secret is there, and update, before a file is read", async () => {
    await using _server = await at.serve();
    await at.keep(SECRETS);
    expect(
      await at.call("create", "secret", "db-password", "-p", "shop", "-d", "dev", "--from-file", "not-there"),
    ).toEqual(
      failure(
        1,
        "secret db-password already exists (project shop, domain dev); " +
          "to give it a new value: flyte-secrets update secret db-password -p shop -d dev",
      ),
    );
  });

  it("says which file cannot be read, and why", async () => {
    await using _server = await at.serve();
    const create = (file: string) => at.call("create", "secret", "n", "--from-file", file);
    expect(await create("nowhere")).toEqual(failure(1, "--from-file nowhere cannot be read: no such file"));
    expect(await create(at.home)).toEqual(failure(1, `--from-file ${at.home} cannot be read: it is a directory`));
  });

  it("says that a scope is new, and which one is near", async () => {
    await using _server = await at.serve();
    await at.keep(SECRETS);
    writeFileSync(join(at.home, "value"), "x");
    const create = async (...args: string[]) =>
      (await at.call("create", "secret", ...args, "--from-file", "value")).stderr;
    expect(await create("n", "-p", "shpo", "-d", "prod")).toBe(
      "note: new scope: project shpo, domain prod has no secrets yet; did you mean project shop, domain prod?\n",
    );
    expect(await create("n", "-d", "prd")).toBe(
      "note: new scope: domain prd has no secrets yet; did you mean domain prod?\n",
    );
    expect(await create("n", "-d", "staging")).toBe("note: new scope: domain staging has no secrets yet\n");
    expect(await create("m", "-d", "staging")).toBe("");
    expect(await create("n", "-d", "prod")).toBe("");
    expect(await create("n")).toBe("");
  });
});
