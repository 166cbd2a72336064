import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CliContext } from "../context.ts";
import { createOutput } from "../output.ts";
import { readDockerConfig, toDockerConfigJson } from "./docker-config.ts";

const CANARY = "canary-81c2";
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "docker-config-"));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

describe("credentials of a Docker installation", () => {
  it("are read from the file, as auth or as user name and password", async () => {
    writeConfig({ auths: { "ghcr.io": { auth: base64("u:p:q") }, "quay.io": { username: "v", password: "w" } } });
    expect(await read()).toEqual({
      "ghcr.io": { username: "u", password: "p:q" },
      "quay.io": { username: "v", password: "w" },
    });
  });

  it("come from the registry's helper, else from the store, else from the file", async () => {
    writeHelper("special", { "a.io": { Username: "ua", Secret: "pa" } });
    writeHelper("store", { "b.io": { Username: "ub", Secret: "pb" } });
    writeConfig({
      auths: { "b.io": {}, "c.io": { auth: base64("uc:pc") }, "without.io": {} },
      credHelpers: { "a.io": "special" },
      credsStore: "store",
    });
    expect(await read()).toEqual({
      "a.io": { username: "ua", password: "pa" },
      "b.io": { username: "ub", password: "pb" },
      "c.io": { username: "uc", password: "pc" },
    });
  });

  it("can be limited to registries, however those are spelled", async () => {
    const hub = "https://index.docker.io/v1/";
    writeConfig({ auths: { [hub]: { auth: base64("u:p") }, "ghcr.io": { auth: base64("x:y") }, "q.io": {} } });
    expect(await read({ registries: ["docker.io"] })).toEqual({ [hub]: { username: "u", password: "p" } });
    expect(await read({ registries: ["https://ghcr.io/v2/"] })).toEqual({
      "ghcr.io": { username: "x", password: "y" },
    });
    await expect(read({ registries: ["ghcr.io", "q.io"] })).rejects.toThrow(
      `no credentials for q.io in ${configFile()}; run: docker login q.io`,
    );
  });

  it("of Docker Hub are in the store under one name, however the registry is spelled", async () => {
    const hub = "https://index.docker.io/v1/";
    writeHelper("store", { [hub]: { Username: "u", Secret: "p" }, "ghcr.io": { Username: "g", Secret: "q" } });
    const found = { [hub]: { username: "u", password: "p" } };
    writeConfig({ credsStore: "store" });
    for (const name of ["docker.io", "index.docker.io", "https://docker.io/", "registry-1.docker.io", hub]) {
      expect(await read({ registries: [name] })).toEqual(found);
    }
    expect(await read({ registries: ["docker.io", "ghcr.io"] })).toEqual({
      ...found,
      "ghcr.io": { username: "g", password: "q" },
    });
    writeConfig({ auths: { "docker.io": {} }, credsStore: "store" });
    expect(await read()).toEqual({ "docker.io": { username: "u", password: "p" } });
    writeConfig({ credHelpers: { "docker.io": "store" } });
    expect(await read({ registries: ["docker.io"] })).toEqual({ "docker.io": { username: "u", password: "p" } });
  });

  it("are read from a file in UTF-16", async () => {
    writeConfig({});
    const text = JSON.stringify({ auths: { "x.io": { auth: base64("u:p") } } });
    writeFileSync(configFile(), Buffer.from(`\ufeff${text}`, "utf16le"));
    expect(await read()).toEqual({ "x.io": { username: "u", password: "p" } });
  });

  it("are found through DOCKER_CONFIG and through a path", async () => {
    const elsewhere = join(home, "elsewhere/config.json");
    writeConfig({ auths: { "e.io": { auth: base64("u:p") } } }, elsewhere);
    const expected = { "e.io": { username: "u", password: "p" } };
    expect(await read({}, { DOCKER_CONFIG: dirname(elsewhere) })).toEqual(expected);
    expect(await read({ path: elsewhere })).toEqual(expected);
  });

  it.each([
    ["no registry has any", { auths: { "x.io": {} } }, "has no credentials for any registry; run docker login first"],
    ["the file is no JSON", CANARY, "is not JSON, as Docker's configuration is"],
    ["an auth is damaged", { auths: { "x.io": { auth: base64(CANARY) } } }, 'the "auth" of x.io'],
    ["an auth has characters that base64 has not", { auths: { "x.io": { auth: "dTp~wYQ=" } } }, 'the "auth" of x.io'],
    [
      "an auth is no UTF-8",
      { auths: { "x.io": { auth: Buffer.from("u:\xff", "latin1").toString("base64") } } },
      'the "auth" of x.io',
    ],
    ["Docker holds an identity token", { auths: { "x.io": { identitytoken: CANARY } } }, "are an identity token"],
    ["a helper is not installed", { credHelpers: { "x.io": "absent" } }, "docker-credential-absent, which Docker's"],
  ])("are refused when %s", async (_, config, message) => {
    writeConfig(config);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.not.toThrow(CANARY);
  });

  it.each([
    [
      "fails",
      `console.log("${CANARY}"); process.exitCode = 3;`,
      "failed for x.io with exit code 3; try: docker login x.io",
    ],
    ["answers in no JSON", `console.log("${CANARY}");`, "did not answer in JSON"],
    ["answers without a password", `console.log('{"Username":"${CANARY}"}');`, "without user name and password"],
    [
      "hands out an identity token",
      `console.log('{"Username":"<token>","Secret":"${CANARY}"}');`,
      "are an identity token",
    ],
  ])("are refused when a helper %s, without its output", async (_, script, message) => {
    writeScript("odd", script);
    writeConfig({ credHelpers: { "x.io": "odd" } });
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.not.toThrow(CANARY);
  });

  it("are asked of a helper that sees none of our own credentials", async () => {
    const seen = "Object.keys(process.env).filter((name) => name.startsWith('FLYTE_')).join()";
    writeScript("nosy", `console.log(JSON.stringify({ Username: ${seen} || "none", Secret: "p" }));`);
    writeConfig({ credHelpers: { "x.io": "nosy" } });
    const ours = { FLYTE_SECRETS_MASTER_KEY: "k", FLYTE_SECRETS_TOKEN: "t", FLYTE_API_KEY: "a", FLYTE_SECRET_DB: "v" };
    expect(await read({}, ours)).toEqual({ "x.io": { username: "none", password: "p" } });
  });

  it("are not asked of a program that the configuration names by a path", async () => {
    writeScript("x/../evil", "");
    writeConfig({ credHelpers: { "x.io": "x/../evil" } });
    await expect(read()).rejects.toThrow('"x/../evil" is no name of a credential helper');
  });

  it("are not asked of a program with a name that no file can have", async () => {
    writeConfig({ credsStore: "x".repeat(70_000), auths: { "x.io": {} } });
    await expect(read()).rejects.toThrow("is no name of a credential helper");
  });

  it("become a .dockerconfigjson as kubectl lays it out", () => {
    const value = toDockerConfigJson(new Map([["ghcr.io", { username: "u", password: "p" }]]));
    expect(JSON.parse(value.revealText() ?? "")).toEqual({
      auths: { "ghcr.io": { username: "u", password: "p", auth: "dTpw" } },
    });
  });
});

async function read(options = {}, env: Record<string, string> = {}): Promise<object> {
  const PATH = [join(home, "bin"), process.env.PATH].join(delimiter);
  const silent = new PassThrough();
  const cli: CliContext = {
    env: { PATH, ...env },
    stdin: silent,
    stdout: createOutput(silent),
    stderr: createOutput(silent),
    home,
    cwd: home,
    nodeVersion: "24.0.0",
    interruption: () => new AbortController().signal,
    relaySignals: () => () => {},
  };
  return Object.fromEntries(await readDockerConfig(options, cli));
}

function configFile(): string {
  return join(home, ".docker/config.json");
}

function writeConfig(config: unknown, file = configFile()): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config));
}

/** A helper that speaks Docker's protocol: `get`, the registry on standard input, JSON on standard output. */
function writeHelper(name: string, known: Record<string, object>): void {
  writeScript(
    name,
    `const registry = require("node:fs").readFileSync(0, "utf8");
     const answer = process.argv[2] === "get" && ${JSON.stringify(known)}[registry];
     console.log(answer ? JSON.stringify(answer) : "credentials not found in native keychain");
     process.exitCode = answer ? 0 : 1;`,
  );
}

function writeScript(name: string, body: string): void {
  const file = join(home, "bin", `docker-credential-${name}`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/usr/bin/env node\n${body}\n`);
  chmodSync(file, 0o755);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
