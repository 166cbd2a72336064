import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliResult, runCli, runWithFullDisk } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const run = (...args: string[]): Promise<CliResult> => runCli({ args, env: at.env, cwd: at.home });
const announced = (): { pid: number } => JSON.parse(readFileSync(join(at.store, "server.json"), "utf8"));
const OTHER =
  "flyte-secrets serve --status shows it, and --stop ends it; or give this one a data directory of its own (secret.store.path)";
const none = () => `No server runs on ${at.store}.\n`;

// Registered after the home's own, and so run before the home goes.
afterEach(async () => void (await at.call("serve", "--stop")));

describe("serve --detach", () => {
  it("returns when the server answers, which goes on without its terminal until --stop, and is the only one", async () => {
    const { exitCode, screen } = await runOnTerminal({ args: ["serve", "-b", "--port", "0"], env: at.env }, []);
    expect([exitCode, screen]).toEqual([0, expect.stringMatching(/^Listening on http:\/\/127\.0\.0\.1:\d+\r\n/)]);
    const log = join(at.store, "server.log");
    expect(screen).toMatch(new RegExp(`Log in {7}${log}\r\nStop: flyte-secrets serve --stop\r\n$`));
    expect(statSync(log).mode & 0o777).toBe(0o600);
    const endpoint = /Listening on (\S+)/.exec(screen)?.[1];
    const { pid } = announced();

    const status = await at.call("serve", "--status");
    expect(status).toMatchObject({ exitCode: 0, stderr: "" });
    const since = /since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC \(\d+ seconds? ago\))/.exec(status.stdout)?.[1];
    expect(status.stdout).toBe(
      `Running on   ${endpoint}\nProcess      ${pid}, since ${since}\nData in      ${at.store}\n` +
        `Log in       ${log}\nStop: flyte-secrets serve --stop\n`,
    );
    expect((await at.call("doctor")).stdout).toContain(`ok       ${endpoint} is ready\n`);
    writeFileSync(join(at.home, "value"), "x");
    expect(await at.call("create", "secret", "api-key", "--from-file", "value")).toMatchObject({ exitCode: 0 });

    const refused = failure(1, `another server runs on ${at.store}: ${OTHER}`);
    expect(await run("serve", "--port", "0")).toEqual(refused);
    expect(await run("serve", "--port", "0", "--detach")).toEqual(refused);
    // Its certificate and ports would be next, which this configuration can't have.
    expect(await run("serve", "--webhook.enabled", "--webhook.listenPort", "1")).toEqual(refused);
    expect(announced().pid).toBe(pid);

    expect(await at.call("serve", "--stop")).toEqual(success(`Stopped the server on ${at.store} (process ${pid}).\n`));
    expect(await at.call("serve", "--status")).toEqual({
      exitCode: 3,
      stdout: `${none()}Start one: flyte-secrets serve --detach\n`,
      stderr: "",
    });
    expect(await at.call("serve", "--stop")).toEqual(success(none()));
  });

  it("tells why a server could not start, with its exit code, and leaves none behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const refused = await run("serve", "-b", "--port", String(port));
    taken.close();
    expect(refused).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringMatching(/^error: .*in use.*\n$/) });
    expect(await run("serve", "-b", "--port", "0", "--host", "0.0.0.0", "--auth", "none")).toMatchObject({
      exitCode: 2,
    });
    expect(await at.call("serve", "--status")).toMatchObject({ exitCode: 3 });
  });

  it("tells why when the log has no room for it either", async () => {
    const call = { args: ["serve", "-b", "--port", "0"], env: at.env, cwd: at.home };
    const { exitCode, stdout, stderr } = await runWithFullDisk(call);
    expect([exitCode, stdout, stderr]).toEqual([
      1,
      "",
      expect.stringMatching(/^error: The disk that holds .* takes no more: /),
    ]);
    expect(stderr.split("\n")).toHaveLength(2);
  });

  it("takes no file for its log that holds anything else, in the background or not", async () => {
    await at.keep({ a: "x" });
    const key = readFileSync(join(at.store, "master.key"));
    for (const args of [[], ["-b"]]) {
      expect(await run("serve", ...args, "--port", "0", "--log-file", "store/master.key")).toEqual(
        failure(
          2,
          `--log-file: ${join(at.store, "master.key")} can't be the log: it is in the data directory, where only server.log ` +
            "is a log. Nothing was written; choose another",
        ),
      );
    }
    expect(readFileSync(join(at.store, "master.key"))).toEqual(key);
  });

  it("gives the server all of its options", async () => {
    writeFileSync(join(at.home, "a.yaml"), "logger: { level: debug }\n");
    const args = ["-b", "--port", "0", "--auth", "none", "-c", "a.yaml", "--secret.organization", "acme"];
    const started = await run("serve", ...args, "--log-file", "own.log");
    expect(started).toMatchObject({ exitCode: 0, stderr: "" });
    expect(started.stdout).toContain("(--auth none)");
    writeFileSync(join(at.home, "value"), "x");
    await at.call("create", "secret", "api-key", "--from-file", "value");
    expect((await at.call("serve", "--status")).stdout).toContain(`\nLog in       ${join(at.home, "own.log")}\n`);
    const log = readFileSync(join(at.home, "own.log"), "utf8");
    expect(log).toContain('"debug"');
    expect(log).toContain("acme");
  });
});

describe("what a server leaves that did not end in order", () => {
  it("does not confuse after SIGKILL, and a stranger with its process number gets no signal", async () => {
    await run("serve", "-b", "--port", "0");
    process.kill(announced().pid, "SIGKILL");
    await until(async () => (await at.call("serve", "--status")).exitCode === 3);
    await using stranger = startStranger();
    writeFileSync(join(at.store, "server.json"), JSON.stringify({ ...announced(), pid: stranger.child.pid }));
    expect(await at.call("serve", "--stop")).toEqual(success(none()));
    expect((await at.call("doctor")).stdout).toContain(`note     no server is running on ${at.store};`);

    // The next server has the lock; a number that is not its own is not believed.
    expect(await run("serve", "-b", "--port", "0")).toMatchObject({ exitCode: 0 });
    const { pid } = announced();
    writeFileSync(join(at.store, "server.json"), JSON.stringify({ ...announced(), pid: stranger.child.pid }));
    const refused = await at.call("serve", "--stop");
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/can't be identified among the processes here/),
    ]);
    expect(stranger.child.exitCode ?? stranger.child.signalCode).toBeNull();
    writeFileSync(join(at.store, "server.json"), JSON.stringify({ ...announced(), pid }));
  });

  it("a server that hangs is told, by --status and doctor", async () => {
    await run("serve", "-b", "--port", "0");
    const { pid } = announced();
    process.kill(pid, "SIGSTOP");
    try {
      const { exitCode, stdout } = await at.call("serve", "--status");
      expect([exitCode, stdout]).toEqual([
        4,
        expect.stringContaining("No answer    within 5 s: it hangs, or is stopped\n"),
      ]);
      expect(await at.call("doctor")).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("serve --stop") });
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});

function startStranger(): { child: ChildProcess } & AsyncDisposable {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check()));
}
