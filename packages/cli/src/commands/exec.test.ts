import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { INJECT_LABEL, MountRequirement, type SecretRequest, toRequestAnnotations } from "@flyte-secrets/core";
import { beforeEach, describe, expect, it } from "vitest";
import { CLI, type CliResult, runCli } from "../testing/run-cli.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const VALUE = "a-value-of-the-project";
const BYTES = Uint8Array.of(0, 255, 10, 7);

beforeEach(async () => {
  await at.keep({
    "dev/shop/api-key": VALUE,
    "api-key": "a-value-for-all",
    "cert.pem": BYTES,
    config: "line one\nline two\n",
  });
});

const SCOPE = ["-p", "shop", "-d", "dev"];

function exec(
  args: readonly string[],
  call: { input?: string; env?: Record<string, string> } = {},
): Promise<CliResult> {
  return runCli({ args: ["exec", ...args], cwd: at.home, ...call, env: { ...at.env, ...call.env } });
}

/** What a shell prints, unmasked, with these options of `exec`. */
const shell = (script: string, ...options: readonly string[]) =>
  exec([...SCOPE, ...options, "--no-mask", "--", "sh", "-c", script]);

describe("a program", () => {
  it("has the value at the narrowest scope in its variable, or in the one that is named", async () => {
    const script = 'echo "$API_KEY $TOKEN"';
    expect(await shell(script, "-s", "api-key", "-s", "api-key=TOKEN")).toEqual(success(`${VALUE} ${VALUE}\n`));
    expect(await exec(["--no-mask", "-s", "api-key", "--", "sh", "-c", script])).toEqual(success("a-value-for-all \n"));
  });

  it("has files that it alone can read, byte by byte, with their paths in variables", async () => {
    const script = 'ls -l "$CERT" | cut -c1-10; od -An -tx1 "$CERT"; cat "$FLYTE_SECRETS_DEFAULT_DIR/config"';
    const { stdout, stderr, exitCode } = await shell(
      script,
      "--no-mount",
      "--file",
      "cert.pem=CERT",
      "--file",
      "config",
    );
    expect([stdout, stderr, exitCode]).toEqual(["-r--------\n 00 ff 0a 07\nline one\nline two\n", "", 0]);
  });

  it("gets no credentials of ours, and of its own environment all else, whatever it is called", async () => {
    const env = { FLYTE_SECRETS_TOKEN: "t".repeat(30), FLYTE_SECRET_GROUP_KEY: "g", "odd.name": "kept", EMPTY: "" };
    const { stdout } = await exec(["--no-mask", "-s", "api-key", "--", "env", "-0"], { env });
    const names = stdout.split("\0").map((line) => line.split("=")[0] ?? "");
    const expected = Object.keys({ ...at.env, ...env, API_KEY: "", FLYTE_SECRETS_ENV_PREFIX: "" });
    expect(expected.filter((name) => !names.includes(name)).sort()).toEqual([
      "FLYTE_SECRETS_TOKEN",
      "FLYTE_SECRET_GROUP_KEY",
    ]);
    expect(stdout.split("\0")).toContain("odd.name=kept");
  });

  it("reads standard input, and its arguments are its own", async () => {
    const words = ["-s", "--no-mask", "--", "$API_KEY", ""];
    const script = 'cat; printf "<%s>" "$@"';
    expect(await exec(["-s", "api-key", "--", "sh", "-c", script, "sh", ...words], { input: "typed " })).toEqual(
      success("typed <-s><--no-mask><--><$API_KEY><>"),
    );
  });

  it("has its value masked in all output, and left in it with --no-mask", async () => {
    const script = 'echo "$API_KEY"; echo "to $API_KEY" >&2; printf %s "$API_KEY" | base64';
    const args = [...SCOPE, "-s", "api-key", "--", "sh", "-c", script];
    expect(await exec(args)).toEqual({ exitCode: 0, stdout: "***\n***\n", stderr: "to ***\n" });
    expect((await exec(["--no-mask", ...args])).stderr).toBe(`to ${VALUE}\n`);
  });
});

describe("names in place of values", () => {
  const redacted = (script: string, ...options: readonly string[]) =>
    exec([...SCOPE, "--redact", ...options, "--", "sh", "-c", script]);

  it("stand in all output, of text and bytes", async () => {
    const script = 'echo "$API_KEY" to; printf %s "$API_KEY" | base64 >&2; cat "$CERT"; od -An -tx1 "$CERT"';
    expect(await redacted(script, "-s", "api-key", "--file", "cert.pem=CERT")).toEqual({
      exitCode: 0,
      stdout: "<secret api-key> to\n<secret cert.pem> <secret cert.pem>\n",
      stderr: "<secret api-key>\n",
    });
  });

  it("stand for what the program has from elsewhere, too: each secret of this store, of whichever scope", async () => {
    await at.keep({ "prod/other/token": "a-value-of-another-project" });
    writeFileSync(join(at.home, "notes"), `${VALUE}, a-value-for-all and a-value-of-another-project\n`);
    expect(await redacted("cat notes; env | grep -c API_KEY")).toEqual({
      exitCode: 1,
      stdout: "<secret api-key>, <secret api-key> and <secret token>\n0\n",
      stderr: "",
    });
  });

  it("need no store", async () => {
    await at.renew();
    expect(await redacted("echo hello")).toEqual(success("hello\n"));
  });

  it("are those of 256 secrets at most, with a warning", async () => {
    await at.keep(Object.fromEntries(Array.from({ length: 256 }, (_, one) => [`many-${one}`, `value number ${one}`])));
    const { stdout, stderr } = await redacted('echo "$A"', "-s", "many-255=A");
    expect([stdout, stderr]).toEqual([
      "<secret many-255>\n",
      "warning: the store has more than 256 secrets, or 4 MiB of them; not all are replaced by their names\n",
    ]);
  });

  it("are those of the given secrets where a manager has them", async () => {
    const variables = { WEBHOOK_EMBEDDEDSECRETMANAGERCONFIG_TYPE: "AWS" };
    const result = await exec(["--redact", "--", "echo", "hello"], { env: variables });
    expect(result).toEqual({
      exitCode: 0,
      stdout: "hello\n",
      stderr: "warning: the secrets are in AWS: only those that the command is given are replaced by their names\n",
    });
  });
});

describe("the exit code", () => {
  it.each([
    ["the program's", ["sh", "-c", "exit 42"], 42, ""],
    ["128 + n after signal n", ["sh", "-c", "kill -KILL $$"], 137, ""],
    [
      "127 for a command that isn't there",
      ["no-such-command"],
      127,
      "error: no-such-command: there is no such command\n",
    ],
    ["127 for a path that isn't there", ["./no/such"], 127, "error: ./no/such: there is no such command\n"],
    ["127 for none", [""], 127, 'error: "": there is no such command\n'],
    ["126 for what is not executable", ["./plain"], 126, "error: ./plain can't be executed: permission denied\n"],
    ["126 for a directory", ["./store"], 126, "error: ./store can't be executed: it is a directory\n"],
  ])("is %s", async (_, command, exitCode, stderr) => {
    writeFileSync(join(at.home, "plain"), "echo no");
    for (const mask of [[], ["--no-mask"]]) {
      expect(await exec(["-s", "api-key", ...mask, "--", ...command])).toEqual({ exitCode, stdout: "", stderr });
    }
  });

  it("is found in the order of PATH, past what can't be executed", async () => {
    for (const [name, mode] of [
      ["one", 0o600],
      ["two", 0o700],
    ] as const) {
      mkdirSync(join(at.home, name));
      writeFileSync(join(at.home, name, "tool"), `#!/bin/sh\necho ${name}`, { mode });
    }
    const PATH = `${join(at.home, "one")}:${join(at.home, "two")}:${at.env.PATH}`;
    expect(await exec(["-s", "api-key", "--", "tool"], { env: { PATH } })).toEqual(success("two\n"));
  });
});

describe("what is asked for", () => {
  const pod = (requests: readonly Partial<SecretRequest>[], labels: Record<string, string>) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      labels: { [INJECT_LABEL]: "true", ...labels },
      annotations: toRequestAnnotations(
        requests.map((request) => ({
          group: "",
          groupVersion: "",
          key: "",
          envVar: "",
          mountRequirement: MountRequirement.ANY,
          ...request,
        })),
      ),
    },
    spec: { containers: [{ name: "main", image: "main" }] },
  });
  const write = (...pods: readonly object[]) =>
    writeFileSync(join(at.home, "pod.yaml"), pods.map((one) => JSON.stringify(one)).join("\n---\n"));
  const MASKED = ["--", "sh", "-c", 'echo "$A $B"'];

  it("is what the pods of a manifest ask for, in their scope unless another is given; -s comes before", async () => {
    write(
      pod([{ key: "api-key", envVar: "A" }], { project: "shop", domain: "dev" }),
      pod(
        [
          { key: "config", envVar: "B" },
          { key: "api-key", envVar: "A" },
        ],
        { project: "shop", domain: "dev" },
      ),
    );
    const run = (...options: string[]) =>
      exec([...options, "--no-mask", "--from", "pod.yaml", "--", "sh", "-c", 'echo "$A $B"']);
    expect((await run()).stdout).toBe(`${VALUE} line one\nline two\n\n`);
    expect((await run("-p", "other")).stdout).toMatch(/^a-value-for-all /);
    expect((await run("-s", "config=A")).stdout).toMatch(/^line one\nline two\n /);
  });

  it("can be in a manifest of pods of one scope only", async () => {
    write(pod([{ key: "api-key" }], { project: "a" }), pod([{ key: "api-key" }], { project: "b" }));
    expect(await exec(["--from", "pod.yaml", ...MASKED])).toEqual(
      failure(2, "--from: its pods are of a and b; choose one with -p"),
    );
    expect((await exec(["--from", "pod.yaml", "-p", "a", ...MASKED])).exitCode).toBe(0);
  });

  it("is refused where two are for one variable, as in a cluster", async () => {
    write(
      pod(
        [
          { key: "api-key", envVar: "A", mountRequirement: MountRequirement.ENV_VAR },
          { key: "config", envVar: "A", mountRequirement: MountRequirement.ENV_VAR },
        ],
        {},
      ),
    );
    const { exitCode, stdout, stderr } = await exec(["--from", "pod.yaml", ...MASKED]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: .*variable.* A\b/);
  });

  it("is refused where no pod asks for anything", async () => {
    write(pod([], {}));
    expect(await exec(["--from", "pod.yaml", ...MASKED])).toEqual(
      failure(2, "--from: no pod in pod.yaml asks for a secret"),
    );
  });

  it("is told of with -v, without values", async () => {
    expect((await exec([...SCOPE, "-v", "-s", "api-key", "--", "true"])).stderr).toBe(
      "true: api-key from project shop, domain dev\n",
    );
  });

  it("is not started without: a missing secret is an error as in run", async () => {
    const { exitCode, stdout, stderr } = await exec([...SCOPE, "-s", "api-kez", "--", "echo", "started"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: secret "api-kez" was not found\n.*Did you mean "api-key"/);
  });
});

describe("--from-env", () => {
  const CI = { API_KEY: VALUE, CI_TOKEN: "of-the-ci", DB_CERT: "line\n", SECRET_STORE_PATH: "/nonexistent" };
  const run = (args: readonly string[], script: string) =>
    exec(["--from-env", "--no-mask", ...args, "--", "sh", "-c", script], { env: CI });

  it("takes values from the variables that the secrets have, and for files from those that Flyte derives", async () => {
    const asked = ["-s", "api-key", "-s", "token=CI_TOKEN", "--file", "db/cert=CERT_PATH"];
    const script = 'echo "$API_KEY $CI_TOKEN <$DB_CERT>"; cat "$CERT_PATH"';
    expect(await run(asked, script)).toEqual(success(`${VALUE} of-the-ci <>\nline\n`));
  });

  it("masks them, and gives the program those alone that it asks for", async () => {
    writeFileSync(
      join(at.home, "flyte-secrets.yaml"),
      "secrets:\n  - key: api-key\n  - key: other\n    optional: true\n",
    );
    const args = ["--from-env", "--from", "flyte-secrets.yaml", "--", "sh", "-c", 'echo "$API_KEY <$OTHER>"'];
    expect(await exec(args, { env: { ...CI, OTHER: "" } })).toEqual({
      exitCode: 0,
      stdout: "*** <>\n",
      stderr: 'note: "other" is optional, was not found, and is left out\n',
    });
  });

  it("names the variable of a secret that is not there, or empty as CI systems leave it", async () => {
    const asked = ["-s", "api-key", "-s", "absent", "-s", "g/empty=EMPTY"];
    expect(await exec(["--from-env", ...asked, "--", "true"], { env: { ...CI, EMPTY: "" } })).toEqual({
      exitCode: 1,
      stdout: "",
      stderr:
        'error: secrets "absent", "empty" were not found\n' +
        '  "absent" is taken from ABSENT, which is empty or not set.\n' +
        '  "empty" is taken from EMPTY, which is empty or not set.\n',
    });
  });
});

describe("--hold", () => {
  it("writes what a program would get, and keeps the files until standard input ends", async () => {
    const args = ["exec", ...SCOPE, "-s", "api-key", "--file", "cert.pem=CERT", "--hold"];
    const holder = spawn(process.execPath, [CLI, ...args], { env: at.env, stdio: ["pipe", "pipe", "inherit"] });
    let held = "";
    for await (const chunk of holder.stdout) {
      held += chunk;
      if (held.endsWith("\0\0")) break;
    }
    // As long as another run takes, which has the same to say.
    const { stdout } = await exec([
      ...SCOPE,
      "-s",
      "api-key",
      "--file",
      "cert.pem=CERT",
      "--no-mount",
      "--no-mask",
      "--",
      "env",
      "-0",
    ]);
    const path = /^CERT=(.*)$/m.exec(held.replaceAll("\0", "\n"))?.[1] ?? "";
    expect(readFileSync(path)).toEqual(Buffer.from(BYTES));
    const entries = (text: string) => text.split("\0").map((entry) => entry.replace(/flyte-secrets-run-[^/]*/, ""));
    const own = Object.keys(at.env);
    expect(entries(held).sort()).toEqual(
      ["", ...entries(stdout).filter((entry) => !own.includes(entry.split("=")[0] ?? ""))].sort(),
    );
    holder.stdin.end();
    expect(await new Promise((resolve) => holder.once("exit", resolve))).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  it("writes nothing when a secret is missing", async () => {
    const { exitCode, stdout, stderr } = await exec(["--hold", "-s", "api-kez"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^error: secret "api-kez" was not found\n/);
  });
});

describe("a command line", () => {
  it.each([
    [["-s", "api-key"], "no program to run: write it after --, as in: exec -s KEY -- python train.py"],
    [["-s", "api-key", "--"], "no program to run: write it after --, as in: exec -s KEY -- python train.py"],
    [
      ["-s", "api-key", "ls", "-l", "--", "x"],
      "write -- before the program, so that its options are its own, as in: exec -s KEY -- ls",
    ],
    [["ls", "--"], "write -- before the program, so that its options are its own, as in: exec -s KEY -- ls"],
    [["--hold", "-s", "api-key", "--", "ls"], "--hold runs no program; leave it out"],
    [
      ["--", "ls"],
      "say which secrets the program gets: -s KEY in a variable, --file KEY in a file, --from FILE as a pod asks; or " +
        "keep a flyte-secrets.yaml in the project",
    ],
    [["--redact", "--no-mask", "--", "ls"], "--no-mask cannot be used with --redact"],
  ])("%j is refused", async (args, message) => {
    expect(await at.call("exec", ...args)).toEqual(failure(2, message));
  });
});

describe("at the end", () => {
  /** Starts a program that says its id and the directory of its files, and waits. */
  async function start(script: string, ...options: string[]) {
    const command = ["--", "sh", "-c", `echo $$ $FLYTE_SECRETS_DEFAULT_DIR; ${script}`];
    const child = spawn(process.execPath, [CLI, "exec", "--no-mount", "--file", "config", ...options, ...command], {
      env: at.env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once("exit", (...how) => resolve(how)),
    );
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async () => String((await lines.next()).value);
    const [pid = "", directory = ""] = (await next()).split(" ");
    return { child, ended, next, pid: Number(pid), directory };
  }
  const isThere = (directory: string) => readdirSync("/dev/shm").some((name) => directory.includes(name));
  /** One letter, as ps(1) has it; "" for none. */
  const state = (pid = 0) => /\) (.)/.exec(readProcess(pid, "stat"))?.[1] ?? "";
  const isGone = (pid: number) => ["", "Z"].includes(state(pid));

  it.each([
    { options: [] },
    { options: ["--no-mask"] },
  ])("files, program and guardian are gone when this process is killed: $options", async ({ options }) => {
    const one = await start("exec sleep 1000", ...options);
    expect([isThere(one.directory), isGone(one.pid)]).toEqual([true, false]);
    one.child.kill("SIGKILL");
    await one.ended;
    await expect.poll(() => isThere(one.directory) || !isGone(one.pid), { timeout: 60_000 }).toBe(false);
    const left = [...readOfAll("cmdline").values()].filter((words) => words.includes(one.directory));
    expect(left).toEqual([]);
  });

  it.each([
    "SIGINT",
    "SIGTERM",
    "SIGHUP",
    "SIGQUIT",
    "SIGUSR1",
    "SIGUSR2",
  ] as const)("the program gets %s, each time", async (signal) => {
    const name = signal.slice(3);
    const one = await start(
      `n=0; trap 'n=$((n + 1)); echo got; [ $n = 2 ] && exit 5' ${name}; echo ready; while :; do sleep 0.01; done`,
    );
    expect(await one.next()).toBe("ready");
    for (let time = 0; time < 2; time++) {
      one.child.kill(signal);
      expect(await one.next()).toBe("got");
    }
    expect(await one.ended).toEqual([5, null]);
    expect(isThere(one.directory)).toBe(false);
  });

  it("a signal that ends the program ends what it has started, too, and gives 128 + n", async () => {
    const one = await start("sleep 1000 & echo $!; wait");
    const below = Number(await one.next());
    one.child.kill("SIGTERM");
    expect(await one.ended).toEqual([143, null]);
    await expect.poll(() => isGone(below)).toBe(true);
    expect(isThere(one.directory)).toBe(false);
  });

  it("what is stopped goes on with it", async () => {
    const one = await start("exec sleep 1000");
    one.child.kill("SIGTSTP");
    await expect.poll(() => [state(one.pid), state(one.child.pid)]).toEqual(["T", "T"]);
    one.child.kill("SIGCONT");
    await expect.poll(() => [state(one.pid), state(one.child.pid)]).not.toContain("T");
    one.child.kill("SIGINT");
    expect(await one.ended).toEqual([130, null]);
  });

  it("what it leaves in the background keeps nobody waiting, and is left alone", async () => {
    const one = await start("sleep 1000 & echo $!");
    const below = Number(await one.next());
    expect(await one.ended).toEqual([0, null]);
    expect([isThere(one.directory), isGone(below)]).toEqual([false, false]);
    process.kill(below, "SIGKILL");
  });
});

/** What the system says of every process: its arguments or its environment, by id; empty where it may not be read. */
function readOfAll(file: "cmdline" | "environ"): ReadonlyMap<string, string> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Map(pids.map((pid) => [pid, readProcess(pid, file)]));
}

function readProcess(pid: string | number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}
