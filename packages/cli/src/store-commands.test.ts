import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/server/local";
import { startServe } from "@flyte-secrets/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callCli } from "./testing/call-cli.ts";
import { type CliResult, runCli } from "./testing/run-cli.ts";
import { CONTROL_C, runOnTerminal } from "./testing/run-on-terminal.ts";

const CANARY = "canary-9d41c7";

let home: string;
let store: string;
let env: Record<string, string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "store-commands-"));
  store = join(home, "store");
  env = { HOME: home, PATH: process.env.PATH ?? "", SECRET_STORE_PATH: store };
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const call = (...args: string[]): Promise<CliResult> => callCli({ args, env, cwd: home });
const success = (stdout: string): CliResult => ({ exitCode: 0, stdout, stderr: "" });
const failure = (exitCode: number, line: string): CliResult => ({ exitCode, stdout: "", stderr: `error: ${line}\n` });

/** Puts `NAME` or `DOMAIN/NAME` or `DOMAIN/PROJECT/NAME` into the store of this test, which is made where it is missing. */
async function keep(
  secrets: Record<string, string | Uint8Array>,
  type: "generic" | "image_pull" = "generic",
): Promise<void> {
  const opened = await openEmbeddedStore({ directory: store });
  for (const [path, value] of Object.entries(secrets)) {
    const [name = "", ...scope] = path.split("/").reverse();
    const [domain = "", project = ""] = scope.reverse();
    const bytes = typeof value === "string" ? SecretValue.fromText(value) : SecretValue.fromBytes(value);
    await opened.create({ org: "flyte", domain, project, name }, { value: bytes, type });
  }
  await opened.close();
}

async function kept(name: string, domain = "", project = ""): Promise<string | undefined> {
  const opened = await openEmbeddedStore({ directory: store });
  const value = await opened.read({ org: "flyte", domain, project, name });
  await opened.close();
  return value?.revealText();
}

describe("export", () => {
  it("writes exactly one scope with its values to a new file of this user alone", async () => {
    await keep({ GLOBAL: "g", "dev/DOMAIN": "d", "dev/shop/PROJECT": CANARY, "dev/shop/OTHER": "o'clock" });
    expect(await call("export", "-p", "shop", "-d", "dev", "--with-values", "--to-file", "shop.env")).toEqual(
      success("Wrote 2 secrets to shop.env.\n"),
    );
    const file = join(home, "shop.env");
    expect(readFileSync(file, "utf8")).toBe(`OTHER=\`o'clock\`\nPROJECT='${CANARY}'\n`);
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect(await call("export", "--with-values", "--to-file", "shop.env")).toEqual(
      failure(1, "--to-file shop.env cannot be written: it exists already"),
    );
    expect(JSON.parse((await call("export", "--with-values")).stdout)).toEqual({ GLOBAL: "g" });
    expect(JSON.parse((await call("export", "--with-values", "-d", "dev")).stdout)).toEqual({ DOMAIN: "d" });
  });

  it("writes names alone without being told otherwise, also to a terminal", async () => {
    await keep({ KEY: CANARY });
    expect(await call("export", "--format", "env")).toEqual(success("# KEY=\n"));
    expect(await call("export")).toEqual(success('{\n  "KEY": null\n}\n'));
    const { exitCode, screen } = await runOnTerminal({ args: ["export", "--format", "env"], env }, []);
    expect([exitCode, screen]).toEqual([0, "# KEY=\r\n"]);
  });

  it("never writes values to a terminal", async () => {
    await keep({ KEY: CANARY });
    const { exitCode, screen } = await runOnTerminal({ args: ["export", "--with-values"], env }, []);
    expect([exitCode, screen]).toEqual([
      2,
      "error: values are not written to a terminal; use --to-file FILE or a pipe\r\n",
    ]);
  });

  it("says that there is no store instead of making one", async () => {
    expect(await call("export")).toEqual(failure(1, `no store in ${store} yet; flyte-secrets serve makes one`));
    expect(existsSync(store)).toBe(false);
  });
});

describe("import", () => {
  it("creates a file's secrets at one scope, refuses those that are there, and replaces them when told to", async () => {
    await using server = await serve();
    const run = (...args: string[]) => callCli({ args, env: { ...env, ...server.env }, cwd: home });
    writeFileSync(join(home, ".env"), `A=${CANARY}\nB="two\nlines"\n`);
    const scope = ["-p", "shop", "-d", "dev"];
    expect(await run("import", ".env", ...scope, "--dry-run")).toEqual(
      success("Would create secret A\nWould create secret B\n2 secrets (project shop, domain dev), nothing written\n"),
    );
    expect(await kept("A", "dev", "shop")).toBeUndefined();
    expect(await run("import", ".env", ...scope)).toEqual(
      success("Created secret A\nCreated secret B\n2 secrets (project shop, domain dev)\n"),
    );
    expect([await kept("A", "dev", "shop"), await kept("B", "dev", "shop")]).toEqual([CANARY, "two\nlines"]);
    writeFileSync(join(home, "more.json"), '{"B":"new","C":"c"}');
    expect(await run("import", "more.json", ...scope)).toEqual(
      failure(1, "already there: B. Use --overwrite; nothing was written"),
    );
    expect(await kept("C", "dev", "shop")).toBeUndefined();
    expect(await run("import", "more.json", ...scope, "--overwrite")).toEqual(
      success("Updated secret B\nCreated secret C\n2 secrets (project shop, domain dev)\n"),
    );
    expect(await kept("B", "dev", "shop")).toBe("new");
    expect(await kept("B")).toBeUndefined();
  });

  it.each([
    [
      "a name that no secret can have",
      "tls.yaml",
      "kind: Secret\nstringData: {tls.crt: x}",
      [],
      1,
      /^tls.yaml: tls.crt: name: must be/,
    ],
    ["an unreadable format", "broken.json", `{"a": ${CANARY}}`, [], 1, /^broken.json: the file is not JSON$/],
    ["bytes that are no text", "bytes.env", Buffer.from([0xff]), [], 1, /^bytes.env: not UTF-8 text$/],
    [
      "a file that does not tell its format",
      "secrets",
      "A=1",
      [],
      2,
      /^the file's name does not tell its format; say it with --format$/,
    ],
    [
      "an image-pull secret at a narrower scope",
      "pull.json",
      '{"a":{"type":"image_pull","text":"{}"}}',
      ["-d", "dev"],
      1,
      /^pull.json: a: an image-pull secret has neither project nor domain/,
    ],
  ])("refuses %s before it asks any server", async (_, name, content, options, exitCode, message) => {
    writeFileSync(join(home, name), content);
    const result = await call("import", name, ...options);
    expect([result.exitCode, result.stdout]).toEqual([exitCode, ""]);
    expect(result.stderr.replace(/^error: (.*)\n$/, "$1")).toMatch(message);
    expect(result.stderr).not.toContain(CANARY);
  });

  it("reads what export wrote, bytes and image-pull secrets included", async () => {
    await keep({ text: CANARY, bytes: Uint8Array.of(0, 255, 10) });
    await keep({ pull: '{"auths":{"ghcr.io":{"auth":"dTpw"}}}' }, "image_pull");
    for (const format of ["json", "kubernetes"]) {
      const exported = await call("export", "--with-values", "--format", format);
      rmSync(store, { recursive: true });
      await using server = await serve();
      const args = ["import", "-", "--format", format];
      expect(await callCli({ args, env: { ...env, ...server.env }, input: exported.stdout })).toMatchObject({
        exitCode: 0,
      });
      expect(await call("export", "--with-values", "--format", format)).toEqual(exported);
    }
  });
});

describe("explain", () => {
  const explain = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await call("explain", "-p", "shop", "-d", "dev", "-o", "json", ...args)).stdout);

  it("shows each place where the managers look, and stops where the secret is found", async () => {
    await keep({ "dev/api-key": CANARY, "api-key": "broader" });
    const simple = await call("explain", "api-key", "-p", "shop", "-d", "dev", "-of", "table-simple");
    expect(simple).toEqual(
      success(
        "manager   looked at      name                                                     result\n" +
          "Global    -              -                                                        global secrets require both group and key to be set\n" +
          "Embedded  project scope  u__org__flyte__domain__dev__project__shop__key__api-key  not found\n" +
          "Embedded  domain scope   u__org__flyte__domain__dev__project____key__api-key      found\n",
      ),
    );
  });

  it("does not ask further managers when one serves the request", async () => {
    await keep({ password: "x" });
    env.FLYTE_SECRET_DB_PASSWORD = CANARY;
    expect(await explain("password", "--group", "db")).toEqual([
      {
        manager: "Global",
        outcome: "serves",
        places: [{ kind: "variable", name: "FLYTE_SECRET_DB_PASSWORD", found: true }],
      },
      { manager: "Embedded", outcome: "not asked" },
    ]);
  });

  it("says why a secret that is there cannot be served, with exit code 1", async () => {
    await keep({ bytes: Uint8Array.of(255) });
    const result = await call("explain", "bytes", "-p", "shop", "-d", "dev", "--mount", "env");
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain("found");
    expect(result.stderr).toMatch(/^error: .*mount as a file instead.*\n$/);
  });

  it("says with exit code 1 that nobody has a secret, and how to create it", async () => {
    await keep({ other: "x" });
    const result = await call("explain", "missing", "-p", "shop", "-d", "dev");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      "error: no secret manager of this machine serves missing; create it: flyte-secrets create secret missing -p shop -d dev\n",
    );
  });
});

describe("system, keys, backup and restore", () => {
  it("a system secret is hidden from the API until it is unmarked", async () => {
    await keep({ "dev/hidden": CANARY });
    await using server = await serve();
    const get = () => callCli({ args: ["get", "secret", "hidden", "-d", "dev"], env: { ...env, ...server.env } });
    expect(await call("system", "mark", "hidden", "-d", "dev")).toEqual(
      success("Secret hidden (domain dev) is hidden.\n"),
    );
    expect(await get()).toEqual(failure(1, "secret hidden not found"));
    expect(await call("system", "unmark", "hidden", "-d", "dev")).toEqual(
      success("Secret hidden (domain dev) is shown.\n"),
    );
    expect((await get()).exitCode).toBe(0);
    expect(await call("system", "mark", "missing")).toMatchObject({ exitCode: 1 });
  });

  it("a rotated key opens the store, and a backup restores under the key it was made with", async () => {
    await keep({ before: CANARY });
    expect(await call("backup", "one.db")).toEqual(
      success(`Backed up to one.db. Restoring it needs ${store}/master.key: keep a copy of that elsewhere.\n`),
    );
    const oldKey = readFileSync(join(store, "master.key"));
    expect(await call("keys", "rotate")).toEqual(
      success(`The store in ${store} has a new master key: keep a copy of ${store}/master.key elsewhere.\n`),
    );
    expect(readFileSync(join(store, "master.key"))).not.toEqual(oldKey);
    expect(await kept("before")).toBe(CANARY);
    expect(await call("restore", "one.db")).toMatchObject({ exitCode: 1, stdout: "" });
    expect(await call("restore", "one.db", "--replace")).toMatchObject({ exitCode: 1, stdout: "" });
    writeFileSync(join(store, "master.key"), oldKey);
    await keepNothing();
    expect(await call("restore", "one.db", "--replace")).toEqual(success(`Restored one.db to ${store}.\n`));
    expect(await kept("before")).toBe(CANARY);
  });

  it("a key from the environment is replaced by the next one from there", async () => {
    const [first, next] = ["a", "b"].map((letter) => Buffer.alloc(32, letter).toString("base64"));
    env.FLYTE_SECRETS_MASTER_KEY = first ?? "";
    const opened = await openEmbeddedStore({ directory: store, masterKey: Buffer.alloc(32, "a") });
    await opened.close();
    expect(await call("keys", "rotate")).toMatchObject({ exitCode: 2 });
    env.FLYTE_SECRETS_NEXT_MASTER_KEY = next ?? "";
    expect(await call("keys", "rotate")).toMatchObject({ exitCode: 0 });
    expect(await call("export")).toMatchObject({ exitCode: 1 });
    env.FLYTE_SECRETS_MASTER_KEY = next ?? "";
    expect(await call("export")).toEqual(success("{}\n"));
  });

  /** Leaves no process with the store open. */
  async function keepNothing(): Promise<void> {
    rmSync(join(store, "store.db"));
    await keep({});
  }
});

describe("doctor", () => {
  it("finds nothing wrong beside a running server", async () => {
    await using server = await serve();
    const result = await callCli({ args: ["doctor"], env: { ...env, ...server.env } });
    const name = `${process.versions.node}`;
    expect(result).toEqual(
      success(
        [
          `ok       Node ${name}, configuration in order`,
          `ok       ${store} is for this user alone (mode 0700)`,
          ...["store.db", "master.key", "server.json", "token"].map(
            (file) => `ok       ${store}/${file} is for this user alone (mode 0600)`,
          ),
          "ok       the store opens with its master key",
          `ok       ${server.endpoint} is ready`,
          "ok       the server's clock agrees with this one",
          "ok       the server takes the token",
          "",
        ].join("\n"),
      ),
    );
  });

  it("has only notes before the first start", async () => {
    expect(await call("doctor")).toEqual(
      success(
        `ok       Node ${process.versions.node}, configuration in order\n` +
          `note     ${store} is not there yet; flyte-secrets serve makes it\n` +
          "note     no store yet; flyte-secrets serve makes one\n" +
          `note     no server is running on ${store}; flyte-secrets serve starts one\n`,
      ),
    );
  });

  it("names every problem with its remedy, and exits with 1", async () => {
    await keep({});
    chmodSync(store, 0o755);
    chmodSync(join(store, "master.key"), 0o644);
    const { exitCode, stdout, stderr } = await call("doctor");
    expect([exitCode, stderr]).toEqual([1, "error: 3 of 6 checks failed\n"]);
    expect(stdout).toContain(`problem  ${store} is open to other users (mode 0755)\n         chmod 700 ${store}\n`);
    expect(stdout).toContain(
      `problem  ${store}/master.key is open to other users (mode 0644)\n         chmod 600 ${store}/master.key\n`,
    );
    expect(stdout).toContain("problem  the store does not open\n");
  });

  it("tells of a token that the server refuses", async () => {
    await using server = await serve();
    writeFileSync(join(store, "token"), "another-token-000000\n");
    const { exitCode, stdout } = await callCli({ args: ["doctor"], env: { ...env, ...server.env } });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`problem  the server refuses the token in ${store}/token (HTTP 401)\n`);
  });

  it("tells of a server that does not answer, and of a wrong configuration", async () => {
    await keep({});
    const gone = JSON.stringify({ endpoint: "http://127.0.0.1:9", pid: process.pid });
    writeFileSync(join(store, "server.json"), gone, { mode: 0o600 });
    expect((await call("doctor")).stdout).toContain("problem  http://127.0.0.1:9 does not answer (");
    expect((await call("doctor", "--secret.sever.port", "1")).stdout).toBe(
      "problem  flag --secret.sever.port: unknown key secret.sever; did you mean secret.server?\n" +
        "         correct the configuration; nothing else was checked\n",
    );
  });
});

describe("serve", () => {
  it("tells where it listens and where the token is, not what it is, and stops in order at SIGTERM", async () => {
    const server = await startServe({ directory: home });
    const token = readFileSync(join(store, "token"), "utf8").trim();
    const { exitCode } = await server.close();
    expect(exitCode).toBe(0);
    expect(existsSync(join(store, "server.json"))).toBe(false);
    expect(server.output()).toContain(
      `Listening on ${server.endpoint}\nData in      ${store}\nToken in     ${store}/token\n`,
    );
    expect(server.output()).not.toContain(token);
  });

  it("stops in order at Ctrl-C, and at once at the second one", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["serve", "--port", "0"], env }, [
      { after: "Stop: Ctrl-C", type: CONTROL_C },
    ]);
    expect([exitCode, existsSync(join(store, "server.json"))]).toEqual([0, false]);
    expect(screen).toContain("Listening on http://127.0.0.1:");

    const server = await startServe({ directory: home });
    // A request that never ends holds up the orderly stop.
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    const head = [
      "host: x",
      `authorization: Bearer ${server.token}`,
      "content-type: application/json",
      "content-length: 9",
      "expect: 100-continue",
    ];
    socket.write(`POST /flyteidl2.secret.SecretService/ListSecrets HTTP/1.1\r\n${head.join("\r\n")}\r\n\r\n{`);
    // The server's "100 Continue" shows that it has begun with the request.
    await once(socket, "data");
    server.process.kill("SIGINT");
    await until(() => isRefused(server.port));
    const ended = once(server.process, "exit");
    server.process.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    socket.destroy();
  });

  it("refuses a listener beyond loopback without authentication, and a mistyped setting, by name", async () => {
    const refused = await runCli({ args: ["serve", "--host", "0.0.0.0", "--port", "0", "--auth", "none"], env });
    expect(refused).toMatchObject({ exitCode: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^error: secret\.auth\.mode none on 0\.0\.0\.0 .*\n$/);
    mkdirSync(join(home, "config"));
    writeFileSync(join(home, "config/a.yaml"), "secret: { server: { prot: 1 } }\n");
    const mistyped = await call("serve", "-c", "config/*.yaml");
    expect(mistyped).toMatchObject({ exitCode: 2, stdout: "" });
    expect(mistyped.stderr).toMatch(/^error: .*a\.yaml.*secret\.server\.prot.*secret\.server\.port.*\n$/);
  });
});

describe("completion in bash", () => {
  it("completes commands, options and choices as the real shell asks for them", async () => {
    const { stdout } = await call("completion", "bash");
    const path = join(home, "bin");
    mkdirSync(path);
    const cli = join(import.meta.dirname, "../bin/flyte-secrets.js");
    writeFileSync(join(path, "flyte-secrets"), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`, {
      mode: 0o755,
    });
    const answers = bash(
      `${stdout}
       ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _flyte_secrets; echo "\${COMPREPLY[*]}"; }
       ask flyte-secrets cre
       ask flyte-secrets create secret n --ty
       ask flyte-secrets create secret n --type image
       ask flyte-secrets nothing-like-it`,
      path,
    );
    expect(answers).toBe("create\n--type\nimage_pull\n\n");
  });
});

function isRefused(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1");
  socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
  return promise.finally(() => socket.destroy());
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check()));
}

/** `serve` on the data directory of this test. */
async function serve() {
  const server = await startServe({ directory: home });
  return { ...server, [Symbol.asyncDispose]: async () => void (await server.close()) };
}

function bash(script: string, path: string): string {
  const env = { PATH: `${path}:${process.env.PATH}` };
  return execFileSync("bash", ["-c", script], { env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
