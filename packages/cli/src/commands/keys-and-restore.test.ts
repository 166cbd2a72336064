import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ENTER } from "@flyte-secrets/testkit/terminal";
import { describe, expect, it, onTestFinished } from "vitest";
import { CLI } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

/** A rotated store with a backup of before; the id of the former key. */
async function keepFormerKey(): Promise<string> {
  await at.keep({ "api-key": "x" });
  await at.call("backup", "c1.db");
  await at.call("keys", "rotate");
  const name = readdirSync(at.store).find((file) => /^master\.key\.[0-9a-f]{16}$/.test(file));
  return name?.slice("master.key.".length) ?? "";
}

const backup = () => join(at.home, "c1.db");

describe("keys discard", () => {
  it("asks on a terminal, with the backups that need the key", async () => {
    const id = await keepFormerKey();
    const after = `Remove master key ${id}?`;
    const args = ["keys", "discard", id];
    const refused = await runOnTerminal({ args, env: at.env }, [{ after, type: `n${ENTER}` }]);
    expect(refused.exitCode).toBe(1);
    expect(refused.screen).toContain("c1.db");
    expect(refused.screen).toContain("error: not confirmed; nothing was removed");
    expect(readdirSync(at.store)).toContain(`master.key.${id}`);
    const agreed = await runOnTerminal({ args, env: at.env }, [{ after, type: `y${ENTER}` }]);
    expect(agreed.exitCode).toBe(0);
    expect(readdirSync(at.store)).not.toContain(`master.key.${id}`);
  });

  it("on a terminal says of a key that isn't there that it isn't", async () => {
    await keepFormerKey();
    const { exitCode, screen } = await runOnTerminal({ args: ["keys", "discard", "0".repeat(16)], env: at.env }, []);
    expect([exitCode, screen]).toEqual([1, expect.stringContaining("no former master key of that id is kept")]);
  });
});

describe("restore while the store is in use", () => {
  it("says at once that there is a store and which server has it open", async () => {
    await at.keep({ "api-key": "x" });
    await at.call("backup", "c1.db");
    await using server = await at.serve();
    const holder = `the server (process ${server.process.pid})`;
    const { exitCode, stderr } = await at.call("restore", "c1.db");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`${at.store} holds a store already. The backup was made at `);
    expect(stderr).toContain(
      `It is in use by ${holder}. Restore to another directory, or stop what has it open and replace it (--replace).`,
    );
    const replaced = await at.call("restore", "c1.db", "--replace");
    expect(replaced.stderr).toBe(`error: ${at.store}/store.db is in use by ${holder}. Stop what has it open first.\n`);
  });

  it("names the webhook, where that has it open", async () => {
    await at.keep({ "api-key": "x" });
    await at.call("backup", "c1.db");
    const ports = ["--port", "0", "--webhook.cacheInvalidationPort", "0", "--executor.metricsSecure", "false"];
    const addresses = ["healthProbe", "metrics"].flatMap((name) => [`--executor.${name}BindAddress`, "127.0.0.1:0"]);
    const inline = ["--webhook.embeddedSecretManagerConfig.delivery", "Inline"];
    const child = spawn(process.execPath, [CLI, "webhook", ...ports, ...addresses, ...inline], { env: at.env });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    while (!output.includes("Stop: Ctrl-C")) {
      await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), once(child, "exit")]);
      expect(child.exitCode, output).toBeNull();
    }
    for (const args of [["c1.db"], ["c1.db", "--replace"]]) {
      const { exitCode, stderr } = await at.call("restore", ...args);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`in use by the webhook (process ${child.pid}).`);
    }
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await at.call("restore", "c1.db", "--replace")).toMatchObject({ exitCode: 0, stderr: "" });
  });
});

it("restore into a new directory without the key says which key belongs where, and leaves nothing", async () => {
  await keepFormerKey();
  const target = join(at.home, "fresh");
  const { exitCode, stderr } = await at.call("restore", "c1.db", "--secret.store.path", target);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    new RegExp(
      `^error: ${backup()} was made under the master key [0-9a-f]{16}\\. Put that key in place as ${target}/master`,
    ),
  );
  expect(readdirSync(at.home)).not.toContain("fresh");
});

it("doctor finds every key that others may read, wherever it lies in the data directory", async () => {
  const id = await keepFormerKey();
  expect(await at.call("doctor")).toMatchObject({ exitCode: 0 });
  const webhook = join(at.store, "webhook");
  mkdirSync(webhook, { mode: 0o700 });
  const pem = join(webhook, "webhook-certificate.pem");
  const files = [`master.key.${id}`, "master.key.new", "master.key.copy", "server.lock"].map((name) =>
    join(at.store, name),
  );
  for (const file of [...files, pem, join(webhook, "webhook-ca.crt")]) {
    writeFileSync(file, "");
    chmodSync(file, 0o640);
  }
  const { exitCode, stdout } = await at.call("doctor");
  expect(exitCode).toBe(1);
  const problems = stdout.split("\n").filter((line) => line.startsWith("problem"));
  expect(problems.toSorted()).toEqual(
    [...files, pem].map((file) => `problem  ${file} is open to other users (mode 0640)`).toSorted(),
  );
  expect(stdout).toContain(`         chmod 600 ${pem}\n`);
});
