import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { callCli } from "./testing/call-cli.ts";
import { CLI, type CliResult } from "./testing/run-cli.ts";

const CANARY = "canary-77ab20";

/** A client is made for it, and none is asked. */
const ADDRESS = ["--endpoint", "127.0.0.1:9", "--insecure"];

/** No server is there to ask: what is refused here is refused before. */
function call(...args: string[]): Promise<CliResult> {
  return callCli({ args, env: { HOME: "/nowhere" } });
}

const failure = (exitCode: number, line: string): CliResult => ({ exitCode, stdout: "", stderr: `error: ${line}\n` });

describe("a secret command", () => {
  it("refuse options that exclude each other or lack what they need, by name and before anything is asked or written", async () => {
    const refused: [string[], string][] = [
      [["--value", "x", "--from-file", "f"], "--value cannot be used with --from-file"],
      [["--value", "x", "--registry", "ghcr.io"], "--value cannot be used with --registry"],
      [["--registry", "r", "--from-docker-config"], "--registry cannot be used with --from-docker-config"],
      [["--cluster-pool", "c", "--project", "p", "-d", "d"], "--cluster-pool cannot be used with --project"],
      [["--cluster-pool", "c", "-d", "d"], "--cluster-pool cannot be used with --domain"],
      [["--registry", "r"], "--registry needs --type image_pull"],
      [["--from-docker-config"], "--from-docker-config needs --type image_pull"],
      [["--username", "u"], "--username needs --registry"],
      [["--registries", "r"], "--registries needs --from-docker-config"],
      [["--docker-config-path", "f"], "--docker-config-path needs --from-docker-config"],
      [
        ["--type", "image_pull", "-d", "d"],
        "--domain cannot be used with --type image_pull: image pull secrets are organization-level",
      ],
      [["-c", "a", "-c", "b"], "-c/--config takes one file here"],
    ];
    for (const [options, line] of refused) {
      expect(await call("create", "secret", "refused", ...options)).toEqual(failure(2, line));
    }
  });

  it("refuse names and scopes that no secret can have, by field and rule", async () => {
    expect(await call("create", "secret", "a.b")).toEqual(
      failure(1, 'name: must be one or more of a-z, A-Z, 0-9, "-" and "_"'),
    );
    expect(await call("get", "secret", "-p", "shop")).toEqual(failure(2, "--project needs --domain"));
    expect(await call("get", "secret", "-d", "Prod")).toMatchObject({ exitCode: 1 });
  });

  it("refuse a command line that is wrong without repeating what might be a value", async () => {
    expect(await call("create", "secret", "name", CANARY)).toEqual(
      failure(2, "too many arguments for 'secret'. Expected 1 argument but got 2; see --help"),
    );
    expect(await call("create", "secret", "name", `--valu=${CANARY}`)).toEqual(
      failure(2, "unknown option '--valu'; see --help"),
    );
    expect(await call("create", "secret", "name", `-v${CANARY}`)).toEqual(
      failure(2, "unknown option '-v'; see --help"),
    );
    expect(await call("create", "secret", "n", "--type", "x")).toEqual(
      failure(2, "option '--type <type>' argument 'x' is invalid. Allowed choices are regular, image_pull."),
    );
    expect(await call("-o", "json", "create", "secret", "n", "--value", "x")).toEqual(
      failure(2, "--output-format has no meaning for 'create secret'; leave it out"),
    );
  });

  it("say which options to use when there is nobody to ask", async () => {
    expect(await call(...ADDRESS, "create", "secret", "n")).toEqual(
      failure(
        2,
        "nobody to ask for the value: standard input is no terminal. Use --from-file FILE, or pipe it in with --from-file -",
      ),
    );
    expect(await call(...ADDRESS, "create", "secret", "n", "--type", "image_pull", "--registry", "r")).toEqual(
      failure(
        2,
        "nobody to ask for the credentials: standard input is no terminal. Use --from-docker-config, or --registry, --username and --password",
      ),
    );
  });
});

describe("the command", () => {
  it("prints help and version on standard output, and help for a missing subcommand on standard error with exit code 2", async () => {
    const help = await call("--help");
    expect(help).toMatchObject({ exitCode: 0, stderr: "" });
    expect(help.stdout).toContain("\n  create secret <name> ");
    expect(help.stdout).not.toContain("__complete");
    expect(await call("--version")).toEqual({ exitCode: 0, stdout: "0.1.0\n", stderr: "" });
    expect(await call("create")).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await call()).toMatchObject({ exitCode: 2, stdout: "" });
  });

  it("shows examples with every command's help", async () => {
    const commands = [["serve"], ["create", "secret"], ["get", "secret"], ["update", "secret"], ["delete", "secret"]];
    for (const command of [...commands, ["import"], ["export"], ["explain"], ["doctor"], ["backup"], ["restore"]]) {
      expect((await call(...command, "--help")).stdout).toContain(
        `\nExamples:\n  $ flyte-secrets ${command.join(" ")}`,
      );
    }
  });

  it("helps out of a typing error", async () => {
    expect(await call("serv")).toEqual(failure(2, "unknown command 'serv' (Did you mean serve?)"));
    expect(await call("get", "secret", "--projct", "x")).toEqual(
      failure(2, "unknown option '--projct' (Did you mean --project?); see --help"),
    );
    expect(await call("doctor", "--secret.sever.port", "1")).toMatchObject({ exitCode: 1 });
    expect(await call("serve", "--secret.sever.port", "1")).toEqual(
      failure(2, "flag --secret.sever.port: unknown key secret.sever; did you mean secret.server?"),
    );
    expect(await call("get", "secret", "--secret.server.port", "1")).toEqual(
      failure(2, "unknown option '--secret.server.port'; see --help"),
    );
  });

  it.each([
    ["list", "get secret"],
    ["ls", "get secret"],
    ["rm", "delete secret NAME"],
    ["set", "create secret NAME, or update secret NAME"],
    ["status", "doctor"],
  ])("leads from %s, which other commands have, to its own", async (word, command) => {
    expect(await call(word)).toEqual(failure(2, `unknown command '${word}'; use: flyte-secrets ${command}`));
    expect(await call(word, "x", "--y")).toMatchObject({ exitCode: 2 });
  });

  it("completes a command that lacks a word", async () => {
    const use = (word: string, command: string) =>
      failure(2, `unknown command '${word}'; use: flyte-secrets ${command}`);
    expect(await call("create", "api-key")).toEqual(use("api-key", "create secret api-key"));
    expect(await call("get", "secrets")).toEqual(use("secrets", "get secret"));
    expect(await call("get", "list")).toEqual(use("list", "get secret"));
    expect(await call("create", "secert", "api-key")).toEqual(use("secert", "create secret api-key"));
    expect(await call("create", "secert", "-p", "a")).toEqual(use("secert", "create secret secert"));
    expect(await call("-p", "a", "-d", "b", "delete", "x/y")).toEqual(use("x/y", "delete secret NAME"));
  });

  it("leads to the help where an argument or an option lacks", async () => {
    const lacks = (what: string) => failure(2, `${what}; see --help`);
    expect(await call("create", "secret")).toEqual(lacks("missing required argument 'name'"));
    expect(await call("mutate")).toEqual(lacks("required option '-f, --filename <file>' not specified"));
  });

  it("takes the usual ways to ask for help and version", async () => {
    expect(await call("help")).toEqual(await call("--help"));
    expect(await call("help", "create", "secret")).toEqual(await call("create", "secret", "--help"));
    for (const word of ["version", "-v", "-V"]) expect(await call(word)).toEqual(await call("--version"));
  });

  it("names the option that was typed when its value is wrong", async () => {
    const rule = "must be an integer from 0 to 65535";
    expect(await call("serve", "--port", "abc")).toEqual(failure(2, `flag --port: secret.server.port ${rule}`));
    expect(await call("serve", "--secret.server.port", "abc")).toEqual(
      failure(2, `flag --secret.server.port: secret.server.port ${rule}`),
    );
  });

  it("ends well when nobody reads on", async () => {
    const shell = spawnSync("sh", ["-c", `"${process.execPath}" "${CLI}" --help | true`]);
    expect([shell.status, String(shell.stderr)]).toEqual([0, ""]);
  });

  it("ends although its standard input stays open", async () => {
    const child = spawn(process.execPath, [CLI, "completion", "fish"], { stdio: ["pipe", "ignore", "inherit"] });
    expect(await once(child, "exit")).toEqual([0, null]);
  });

  it("ends with its exit code although nobody reads what went wrong", async () => {
    const child = spawn(process.execPath, [CLI, "nonsense"], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.destroy();
    expect(await once(child, "exit")).toEqual([2, null]);
  });

  it("says which Node it needs, and what has one, when this is too old", async () => {
    const old = `Object.defineProperty(process, "versions", { value: { node: "20.19.5" } });`;
    const { status, stdout, stderr } = spawnSync(process.execPath, [
      "--import",
      `data:text/javascript,${old}`,
      CLI,
      "--help",
    ]);
    expect([status, String(stdout), String(stderr)]).toEqual([
      1,
      "",
      "flyte-secrets needs Node 24 or newer, and this is Node 20.19.5. In a checkout of the project, npx flyte-secrets " +
        "starts it with the checkout's own Node 24; elsewhere install a newer Node (https://nodejs.org).\n",
    ]);
  });

  it("reports a fault of its own without the fault's message, which could quote a value", async () => {
    const broken = {
      HOME: "/nowhere",
      get SECRET_STORE_PATH(): string {
        throw new TypeError(CANARY);
      },
    };
    const result = await callCli({ args: ["get", "secret"], env: broken });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(/^error: internal fault, please report it: TypeError at .*\n$/);
    expect(result.stderr).not.toContain(CANARY);
  });
});
