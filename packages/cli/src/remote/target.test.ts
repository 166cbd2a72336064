import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

/** Somebody else's service, as far as this user's commands can tell. */
let company: ServeProcess;
let address: string;
beforeAll(async () => {
  company = await startServe({ args: ["--auth", "none"] });
  address = company.endpoint.replace("http://", "dns:///");
});
afterAll(async () => {
  await company.close();
});
let counter = 0;
let name: string;
beforeEach(() => {
  name = `where-${counter++}`;
});

/** Writes a Flyte configuration that names the company's service. */
function configure(path: string): string {
  const file = join(at.home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `admin:\n  endpoint: ${address}\n  insecure: true\n`);
  return file;
}

/** In Flyte's form, which holds a whole endpoint. */
const apiKey = () => Buffer.from(`${company.endpoint}:client:secret:None`).toString("base64");

/** All that can name an endpoint without an option, and how messages call it. */
const NAMED: readonly [string, () => Record<string, string>, string][] = [
  ["the file in the home directory", () => only(configure(".flyte/config.yaml")), "~/.flyte/config.yaml"],
  ["Union's file", () => only(configure(".union/config.yaml")), "~/.union/config.yaml"],
  ["UCTL_CONFIG", () => ({ UCTL_CONFIG: configure("u.yaml") }), "~/u.yaml"],
  ["FLYTECTL_CONFIG", () => ({ FLYTECTL_CONFIG: configure("f.yaml") }), "~/f.yaml"],
  ["FLYTE_ENDPOINT", () => ({ FLYTE_ENDPOINT: company.endpoint }), "FLYTE_ENDPOINT"],
  ["FLYTE_ADMIN_ENDPOINT", () => ({ FLYTE_ADMIN_ENDPOINT: company.endpoint }), "FLYTE_ADMIN_ENDPOINT"],
  ["a task's endpoint", () => ({ _U_EP_OVERRIDE: company.endpoint }), "_U_EP_OVERRIDE"],
];
const only = (_file: string): Record<string, string> => ({});

const create = (...options: string[]) => {
  writeFileSync(join(at.home, "value"), "x");
  return at.call("create", "secret", name, "--from-file", "value", ...options);
};
const listed = (result: { stdout: string }): unknown[] => JSON.parse(result.stdout);

describe("where only another service is known", () => {
  it.each(NAMED)("a write says that it went there, and what names it: %s", async (_, arrange, namedBy) => {
    Object.assign(at.env, arrange());
    const where = `at ${company.endpoint} (from ${namedBy})`;
    expect(await create()).toEqual(success(`Created secret ${name} (global scope) ${where}.\n`));
    expect(await at.call("update", "secret", name, "--from-file", "value")).toEqual(
      success(`Updated secret ${name} (global scope) ${where}.\n`),
    );
    expect(await at.call("delete", "secret", name)).toEqual(
      success(`Deleted secret ${name} (global scope) ${where}.\n`),
    );
    writeFileSync(join(at.home, "a.env"), `${name}=x\n`);
    expect(await at.call("import", "a.env")).toEqual(
      success(`Created secret ${name}\n1 secret (global scope) ${where}\n`),
    );
  });

  it("doctor says so", async () => {
    configure(".flyte/config.yaml");
    expect((await at.call("doctor")).stdout).toContain(
      `note     create, get and the like go to ${company.endpoint} (from ~/.flyte/config.yaml)\n`,
    );
  });
});

describe("where this user's own store and another service are known", () => {
  it.each(NAMED)("a write asks which is meant, and nothing is written: %s", async (_, arrange, namedBy) => {
    await at.keep({});
    Object.assign(at.env, arrange());
    const file = namedBy.includes("/") ? ` (with all that its file says: -c ${namedBy})` : "";
    const refused = failure(
      2,
      `it could go to two places: this machine's own store (~/store), or ${company.endpoint} (from ${namedBy}). ` +
        `Say which: --local, or --endpoint ${company.endpoint}${file}`,
    );
    expect(await create()).toEqual(refused);
    expect(await at.call("update", "secret", name, "--value", "x")).toEqual(refused);
    expect(await at.call("delete", "secret", name, "--yes")).toEqual(refused);
    writeFileSync(join(at.home, "a.env"), `${name}=x\n`);
    expect(await at.call("import", "a.env")).toEqual(refused);
    const there = await at.call("get", "secret", "-o", "json", "--endpoint", company.endpoint);
    expect(there.stdout).not.toContain(name);
  });

  it("an option decides", async () => {
    await using _own = await at.serve();
    const file = configure(".flyte/config.yaml");
    expect(await create("--local")).toEqual(success(`Created secret ${name} (global scope).\n`));
    expect(await at.kept(name)).toBe("x");
    expect(await create("--endpoint", company.endpoint)).toEqual(
      success(`Created secret ${name} (global scope) at ${company.endpoint}.\n`),
    );
    expect(await at.call("delete", "secret", name, "-c", file)).toEqual(
      success(`Deleted secret ${name} (global scope) at ${company.endpoint} (from ~/.flyte/config.yaml).\n`),
    );
    expect(await create("--local", "--endpoint", "x")).toEqual(failure(2, "--local cannot be used with --endpoint"));
    expect(await create("--local", "-c", file)).toEqual(failure(2, "--local cannot be used with --config"));
  });

  it("a read says which it reads", async () => {
    await using _own = await at.serve();
    configure(".flyte/config.yaml");
    const { exitCode, stderr } = await at.call("get", "secret", "-o", "json");
    expect([exitCode, stderr]).toEqual([
      0,
      `note: reading from ${company.endpoint} (from ~/.flyte/config.yaml); ` +
        "for this machine's own store (~/store) add --local\n",
    ]);
    const local = await at.call("get", "secret", "-o", "json", "--local");
    expect([local.stderr, listed(local)]).toEqual(["", []]);
  });

  it("doctor names both", async () => {
    await at.keep({});
    configure(".flyte/config.yaml");
    expect((await at.call("doctor")).stdout).toContain(
      `note     two places are known: ${company.endpoint} (from ~/.flyte/config.yaml), and this machine's own store (~/store)\n`,
    );
  });

  it("a configuration that names this user's own server is no other place", async () => {
    await using own = await at.serve();
    at.env.FLYTE_ENDPOINT = own.endpoint;
    expect(await create()).toEqual(success(`Created secret ${name} (global scope).\n`));
  });
});

it("an API key counts as what names the endpoint", async () => {
  await at.keep({});
  at.env.FLYTE_API_KEY = apiKey();
  expect((await create()).stderr).toContain(`or ${company.endpoint} (from FLYTE_API_KEY). Say which: --local,`);
});

it("a configuration that was only found is refused, and the refusal names --local, which goes past it", async () => {
  await using _own = await at.serve();
  configure("config.yaml");
  const refused = await create();
  expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringMatching(/--endpoint.*--local/)]);
  expect(await create("--local")).toEqual(success(`Created secret ${name} (global scope).\n`));
});
