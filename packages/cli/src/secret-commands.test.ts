import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { CONTROL_C, ENTER } from "@flyte-secrets/testkit/terminal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callCli } from "./testing/call-cli.ts";
import { type CliResult, runCli } from "./testing/run-cli.ts";
import { runOnTerminal } from "./testing/run-on-terminal.ts";

const CANARY = "canary-3b1f9e";
const HISTORY_WARNING =
  "warning: --value stays in the shell's history and shows in the process list; use --from-file or the prompt\n";

let server: ServeProcess;
/** Everything that any command printed. */
const printed: string[] = [];

beforeAll(async () => {
  server = await startServe();
});
afterAll(async () => {
  await server.close();
});

async function run(...args: string[]): Promise<CliResult> {
  return record(await runCli({ args, env: server.env }));
}

/** Without a process of its own, for speed. */
async function call(...args: string[]): Promise<CliResult> {
  return record(await callCli({ args, env: server.env }));
}

async function pipe(input: string | Uint8Array, ...args: string[]): Promise<CliResult> {
  return record(await runCli({ args, env: server.env, input }));
}

function record(result: CliResult): CliResult {
  printed.push(result.stdout, result.stderr);
  return result;
}

async function storedValue(
  name: string,
  scope: { domain?: string; project?: string } = {},
): Promise<string | undefined> {
  const store = await openEmbeddedStore({ directory: join(server.directory, "store") });
  try {
    const id = { org: "flyte", domain: scope.domain ?? "", project: scope.project ?? "", name };
    return Buffer.from((await store.read(id))?.revealBytes() ?? []).toString("latin1");
  } finally {
    await store.close();
  }
}

const success = (stdout: string): CliResult => ({ exitCode: 0, stdout, stderr: "" });
const failure = (exitCode: number, line: string): CliResult => ({ exitCode, stdout: "", stderr: `error: ${line}\n` });

describe("create, get, update and delete secret", () => {
  it("keep the bytes of a file or of standard input as they are", async () => {
    const file = join(server.directory, "binary");
    writeFileSync(file, Buffer.from("\u0000\u00ff\r\n", "latin1"));
    expect(await run("create", "secret", "from-file", "--from-file", file)).toEqual(
      success("Created secret from-file (global scope).\n"),
    );
    const lines = `${CANARY}\nand more\n`;
    expect(await pipe(lines, "create", "secret", "from-pipe", "--from-file", "-")).toEqual({
      exitCode: 0,
      stdout: "Created secret from-pipe (global scope).\n",
      stderr:
        "note: standard input begins or ends with white space, which is part of the value; getSecret gives text without it\n",
    });
    expect([await storedValue("from-file"), await storedValue("from-pipe")]).toEqual(["\u0000\u00ff\r\n", lines]);
  });

  it("leave out the line feed behind a single line, and say so; unless it is wanted", async () => {
    expect(await pipe(`${CANARY}\n`, "create", "secret", "one-line", "--from-file", "-")).toEqual({
      exitCode: 0,
      stdout: "Created secret one-line (global scope).\n",
      stderr: "note: the line feed at the end of standard input is left out; --keep-line-feed keeps it\n",
    });
    await pipe(`${CANARY}\n`, "create", "secret", "whole-line", "--from-file", "-", "--keep-line-feed");
    expect([await storedValue("one-line"), await storedValue("whole-line")]).toEqual([CANARY, `${CANARY}\n`]);
    expect(await run("create", "secret", "typed", "--value", "x", "--keep-line-feed")).toEqual(
      failure(2, "--keep-line-feed needs --from-file"),
    );
  });

  it("take the scope from the options, before or after the subcommand", async () => {
    expect(await run("-p", "shop", "create", "-d", "prod", "secret", "scoped", "--value", CANARY)).toEqual({
      exitCode: 0,
      stdout: "Created secret scoped (project shop, domain prod).\n",
      stderr: `note: new scope: project shop, domain prod has no secrets yet\n${HISTORY_WARNING}`,
    });
    expect(await storedValue("scoped", { project: "shop", domain: "prod" })).toBe(CANARY);
    expect((await run("get", "secret", "scoped", "--project", "shop", "--domain", "prod")).exitCode).toBe(0);
    expect(await run("get", "secret", "scoped", "-d", "prod")).toEqual(
      failure(1, "secret scoped not found (domain prod); it is at -p shop -d prod"),
    );
  });

  it("take values that look like options", async () => {
    for (const value of ["-p", "--", "--a.b", ""]) {
      expect(await call("create", "secret", "odd", "--value", value)).toMatchObject({ exitCode: 0 });
      expect(await storedValue("odd")).toBe(value);
      expect(await call("delete", "secret", "odd")).toEqual(success("Deleted secret odd (global scope).\n"));
    }
  });

  it("give a new value to a secret that is there", async () => {
    await run("create", "secret", "changing", "--value", "old");
    expect(await pipe("new", "update", "secret", "changing", "--from-file", "-")).toEqual(
      success("Updated secret changing (global scope).\n"),
    );
    expect(await storedValue("changing")).toBe("new");
  });

  it("say what is wrong with a second create, and with a missing secret", async () => {
    await run("create", "secret", "twice", "--value", "1");
    const second = await run("create", "secret", "twice", "--value", "2");
    expect(second).toMatchObject({ exitCode: 1, stdout: "" });
    expect(second.stderr).toBe(
      "error: secret twice already exists (global scope); to give it a new value: flyte-secrets update secret twice\n",
    );
    expect(await storedValue("twice")).toBe("1");
    for (const verb of ["get", "delete"]) {
      expect(await call(verb, "secret", "missing")).toEqual(failure(1, "secret missing not found (global scope)"));
    }
    expect(await pipe("x", "update", "secret", "missing", "--from-file", "-")).toEqual(
      failure(1, "secret missing not found (global scope)"),
    );
  });

  it("go through all pages of a listing", async () => {
    const entries = Object.fromEntries(Array.from({ length: 230 }, (_, index) => [`paged-${index}`, "x"]));
    expect(await pipe(JSON.stringify(entries), "import", "-", "--format", "json", "-d", "pages")).toMatchObject({
      exitCode: 0,
    });
    const listed = JSON.parse((await run("get", "secret", "-d", "pages", "-o", "json")).stdout) as unknown[];
    expect(listed).toHaveLength(230);
  });

  it("say how to make a store when there is none, and make none to look at", async () => {
    const env = { ...server.env, SECRET_STORE_PATH: join(server.directory, "empty") };
    const result = await runCli({ args: ["get", "secret"], env, cwd: server.directory });
    expect(result).toMatchObject({ exitCode: 1, stdout: "" });
    expect(result.stderr).toMatch(/^error: no store in .* yet; flyte-secrets create secret NAME makes one\n$/);
    expect(existsSync(env.SECRET_STORE_PATH)).toBe(false);
  });

  it("reach a server by address with a token from the environment, and say that a wrong one is refused", async () => {
    const env = { ...server.env, SECRET_STORE_PATH: join(server.directory, "empty") };
    const args = ["get", "secret", "-o", "json-raw", "--endpoint", `127.0.0.1:${server.port}`, "--insecure"];
    const withToken = (token: string) => runCli({ args, env: { ...env, FLYTE_SECRETS_TOKEN: token } });
    expect(await withToken(server.token)).toMatchObject({ exitCode: 0, stderr: "" });
    const remedy = `error: set FLYTE_SECRETS_TOKEN to a token of ${server.endpoint} (it says: `;
    for (const refused of [await withToken("not-the-token-0000"), await runCli({ args, env })]) {
      expect(refused).toEqual({ exitCode: 1, stdout: "", stderr: expect.stringContaining(remedy) });
    }
  });
});

describe("image-pull secrets", () => {
  const stored = async (name: string): Promise<unknown> => JSON.parse((await storedValue(name)) ?? "");

  it("are made of a registry, a user and a password", async () => {
    const result = await run(
      ...["create", "secret", "explicit", "--type", "image_pull"],
      ...["--registry", "docker.io", "--username", "u", "--password", CANARY],
    );
    expect(result).toEqual({
      exitCode: 0,
      stdout: "Created secret explicit (global scope).\n",
      stderr: "warning: --password stays in the shell's history and shows in the process list; use the prompt\n",
    });
    const auth = Buffer.from(`u:${CANARY}`).toString("base64");
    expect(await stored("explicit")).toEqual({
      auths: { "https://index.docker.io/v1/": { username: "u", password: CANARY, auth } },
    });
    expect((await run("get", "secret", "explicit", "-of", "table-simple")).stdout).toContain("image_pull");
  });

  it("are made of Docker's configuration", async () => {
    const file = join(server.directory, "docker.json");
    const auth = Buffer.from("u:p").toString("base64");
    writeFileSync(file, JSON.stringify({ auths: { "ghcr.io": { auth }, "quay.io": { auth } } }));
    const docker = ["--type", "image_pull", "--from-docker-config", "--docker-config-path", file];
    expect(await run("create", "secret", "docker", ...docker, "--registries", "ghcr.io")).toEqual(
      success("Created secret docker (global scope).\n"),
    );
    expect(await stored("docker")).toEqual({ auths: { "ghcr.io": { username: "u", password: "p", auth } } });
  });

  it("are asked for, without echo of the password", async () => {
    const { exitCode, screen } = await runOnTerminal(
      { args: ["create", "secret", "asked-pull", "--type", "image_pull"], env: server.env },
      [
        { after: "Registry", type: `ghcr.io${ENTER}` },
        { after: "Username", type: `octocat${ENTER}` },
        { after: "Password", type: `${CANARY}${ENTER}` },
      ],
    );
    printed.push(screen);
    expect(exitCode).toBe(0);
    const auth = Buffer.from(`octocat:${CANARY}`).toString("base64");
    expect(await stored("asked-pull")).toEqual({
      auths: { "ghcr.io": { username: "octocat", password: CANARY, auth } },
    });
  });
});

describe("at a terminal", () => {
  const question = "Enter secret value:";

  it("a value is asked for without echo", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["create", "secret", "asked"], env: server.env }, [
      { after: question, type: `${CANARY}${ENTER}` },
    ]);
    printed.push(screen);
    expect([exitCode, await storedValue("asked")]).toEqual([0, CANARY]);
    expect(screen).toContain("Created secret asked (global scope).");
  });

  it("an empty value is refused and asked for again", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["create", "secret", "asked-again"], env: server.env }, [
      { after: question, type: ENTER },
      { after: "It is empty.", type: `x${ENTER}` },
    ]);
    expect([exitCode, await storedValue("asked-again")]).toEqual([0, "x"]);
    expect(screen).toContain("Created secret asked-again");
  });

  it("several pasted lines are refused instead of cut off", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["create", "secret", "pasted"], env: server.env }, [
      { after: question, type: `-----BEGIN-----\r${CANARY}\r-----END-----\r` },
    ]);
    printed.push(screen);
    expect(exitCode).toBe(2);
    expect(screen).toContain("error: the value has several lines and the prompt takes one; use --from-file.");
    expect(await call("get", "secret", "pasted")).toMatchObject({ exitCode: 1 });
  });

  it("several lines are refused also when the second is pasted after the first was taken, and not shown", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["create", "secret", "slowly"], env: server.env }, [
      { after: question, type: `\u001b[200~${CANARY}\r` },
      { after: "✔", type: `${CANARY}\r${CANARY}` },
      { after: "\n", type: "\r\u001b[201~" },
    ]);
    printed.push(screen);
    expect(exitCode).toBe(2);
    expect(screen).toContain("error: the value has several lines and the prompt takes one; use --from-file.");
    expect(await call("get", "secret", "slowly")).toMatchObject({ exitCode: 1 });
  });

  it.each([
    ["with CR LF at its end", `${CANARY}\r\n`],
    ["as a paste, and Enter", `\u001b[200~${CANARY}\u001b[201~${ENTER}`],
    ["as a paste with its line break", `\u001b[200~${CANARY}\r\u001b[201~`],
  ])("one line is taken %s", async (how, type) => {
    const name = how.replaceAll(/[^a-z]/g, "");
    const { exitCode, screen } = await runOnTerminal({ args: ["create", "secret", name], env: server.env }, [
      { after: question, type },
    ]);
    printed.push(screen);
    expect([exitCode, await storedValue(name)]).toEqual([0, CANARY]);
  });

  it("Ctrl-C ends with one line and exit code 1, and nothing is written", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["create", "secret", "cancelled"], env: server.env }, [
      { after: question, type: `typed${CONTROL_C}` },
    ]);
    expect(exitCode).toBe(1);
    expect(screen).toContain("error: cancelled at the prompt; nothing was written\r\n");
    expect(screen).not.toContain("typed");
    expect(await run("get", "secret", "cancelled")).toMatchObject({ exitCode: 1 });
  });

  it("deleting asks first, unless told not to", async () => {
    await run("create", "secret", "kept", "--value", "x");
    const refuse = [{ after: "Delete secret kept (global scope)?", type: `n${ENTER}` }];
    const { exitCode, screen } = await runOnTerminal({ args: ["delete", "secret", "kept"], env: server.env }, refuse);
    expect(exitCode).toBe(1);
    expect(screen).toContain("error: not confirmed; nothing was deleted");
    expect(await storedValue("kept")).toBe("x");
    const agree = [{ after: "Delete secret kept (global scope)?", type: `y${ENTER}` }];
    expect((await runOnTerminal({ args: ["delete", "secret", "kept"], env: server.env }, agree)).exitCode).toBe(0);
    await run("create", "secret", "kept", "--value", "x");
    expect((await runOnTerminal({ args: ["delete", "secret", "kept", "-y"], env: server.env }, [])).exitCode).toBe(0);
  });
});

it("no value was printed by any of these commands, nor by the server", () => {
  const value = SecretValue.fromText(CANARY);
  const forms = [CANARY, value.revealBase64(), Buffer.from(CANARY).toString("hex")];
  const everything = [...printed, server.output()].join("\n");
  expect(everything.length).toBeGreaterThan(1000);
  expect(forms.filter((form) => everything.includes(form))).toEqual([]);
});
