import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { CANARY, CLI, useLocalHome } from "../support/local-home.ts";
import { OTHER_UID, requireOtherUser, startImpostor } from "../support/other-user.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const at = useLocalHome();
const { create, environment, run, serve } = at;

/** Without a server, the command writes to this user's own store. */
const OWN_STORE = { exitCode: 0, stdout: "Created secret stripe-key (global scope).\n", stderr: "" };

/** Kills the server as the system does when memory is short. */
async function kill(server: ServeProcess): Promise<void> {
  const ended = once(server.process, "exit");
  server.process.kill("SIGKILL");
  await ended;
}

describeWith(requireOtherUser(), "another user of the machine", () => {
  test("H1: has port and process number of a killed server, and is sent neither token nor value", async () => {
    const server = await serve();
    await kill(server);
    const impostor = await startImpostor(server.port);
    // Numbers are given out again in the end; this saves the test the wait.
    const file = join(at.path, "store/server.json");
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), pid: impostor.pid }));
    expect(await create()).toEqual(OWN_STORE);
    expect((await run(["get", "secret"])).exitCode).toBe(0);
    expect((await run(["doctor"])).stdout).toContain("note     no server is running on ");
    expect(await impostor.stop()).toBe("");
  });

  test("H1: has the port of a killed server that could have no socket, and is sent nothing but the question for a proof", async () => {
    const store = join(at.path, "s".repeat(100));
    const server = await startServe({ directory: at.path, env: { SECRET_STORE_PATH: store } });
    const env = environment({ SECRET_STORE_PATH: store });
    expect((await run(["create", "secret", "before", "--from-file", "-"], { env })).exitCode).toBe(0);
    await kill(server);
    const impostor = await startImpostor(server.port);
    const { exitCode, stderr } = await run(["create", "secret", "stripe-key", "--from-file", "-"], { env });
    expect([exitCode, stderr]).toEqual([
      1,
      `error: ${server.endpoint} is not the server that this user started: it gave no proof, and nothing was sent to it. ` +
        "Another program has its port; start the server again with `flyte-secrets serve`.\n",
    ]);
    expect(await impostor.stop()).toMatch(/^GET \/server-proof\?nonce=[0-9a-f]{64} host localhost $/);
  });

  test("H1: owns the directory that HOME or SECRET_STORE_PATH leads to, and is sent nothing", async () => {
    const impostor = await startImpostor(0);
    const store = join(at.path, "store");
    mkdirSync(store);
    const announcement = { endpoint: `http://127.0.0.1:${impostor.port}`, pid: impostor.pid, proofKey: "known" };
    writeFileSync(join(store, "server.json"), JSON.stringify(announcement));
    for (const path of [store, join(store, "server.json")]) chownSync(path, OTHER_UID, OTHER_UID);
    const refused = `error: ${store}, where the server of this user would be, belongs to user ${OTHER_UID}. Set SECRET_STORE_PATH to a directory of your own, or name an endpoint.\n`;
    expect(await create()).toEqual({ exitCode: 1, stdout: "", stderr: refused });
    // The directory is this user's again, the announcement in it is not.
    chownSync(store, 0, 0);
    chmodSync(store, 0o700);
    expect(await create()).toEqual(OWN_STORE);
    chmodSync(store, 0o777);
    expect((await create()).stderr).toContain("can be written by other users (mode 0777). Run: chmod 700 ");
    expect(await impostor.stop()).toBe("");
  });

  test("M1: puts a configuration into a git root that this user works below, and gets no value", async () => {
    await serve();
    const impostor = await startImpostor(0);
    const shared = join(at.path, "shared");
    const below = join(shared, "mine/deep");
    mkdirSync(below, { recursive: true });
    chmodSync(shared, 0o1777);
    for (const path of [".git", ".flyte"]) mkdirSync(join(shared, path));
    const file = join(shared, ".flyte/config.yaml");
    writeFileSync(file, `admin: { endpoint: "http://127.0.0.1:${impostor.port}" }\ntask: { project: theirs }\n`);
    for (const path of [".git", ".flyte", ".flyte/config.yaml"]) chownSync(join(shared, path), OTHER_UID, OTHER_UID);
    const created = await create("--project", "p", "--domain", "d");
    expect(created.exitCode).toBe(0);
    expect(
      await run(["update", "secret", "stripe-key", "-p", "p", "-d", "d", "--from-file", "-"], { cwd: below }),
    ).toEqual({
      exitCode: 0,
      stdout: "Updated secret stripe-key (project p, domain d).\n",
      stderr: `warning: ${file} is left out: it belongs to user ${OTHER_UID}. To use it all the same, name it: --config ${file}\n`,
    });
    expect(await impostor.stop()).toBe("");
  });

  test("H1: cannot reach the socket, and the port asks for the token as before", async () => {
    const server = await serve();
    const program = `const s = require("node:net").connect(process.argv[1]); s.on("connect", () => process.exit(1)); s.on("error", (error) => console.log(error.code));`;
    const asOther = [
      "--reuid",
      `${OTHER_UID}`,
      "--regid",
      `${OTHER_UID}`,
      "--clear-groups",
      process.execPath,
      "-e",
      program,
    ];
    chmodSync(at.path, 0o755);
    const { stdout } = await runProgram("setpriv", [...asOther, join(at.path, "store/server.sock")]);
    expect(stdout).toBe("EACCES\n");
    expect((await fetch(`${server.endpoint}/secrets/api/v1`)).status).toBe(401);
  });
});

test("H1: several servers side by side are each reached by their own directory, and none orphans another", async () => {
  const [first, second] = [await serve(), await startServe()];
  onTestFinished(async () => void (await second.close()));
  expect((await create()).exitCode).toBe(0);
  expect(
    (await runProgram(process.execPath, [CLI, "get", "secret", "stripe-key"], { env: { ...second.env } })).exitCode,
  ).toBe(1);
  // On one directory the second is refused, and the first is still found.
  const again = await run(["serve", "--port", "0"]);
  expect(again).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: `error: another server runs on ${join(at.path, "store")}: flyte-secrets serve --status shows it, and --stop ends it; or give this one a data directory of its own (secret.store.path)\n`,
  });
  expect((await run(["get", "secret", "stripe-key"])).exitCode).toBe(0);
  await kill(first);
  const restarted = await serve();
  expect((await run(["get", "secret", "stripe-key"])).exitCode).toBe(0);
  await restarted.close();
  expect(existsSync(join(at.path, "store/server.sock"))).toBe(false);
});

test("H1: a socket that is a link elsewhere is not followed", async () => {
  const server = await serve();
  const elsewhere = mkdtempSync(join(tmpdir(), "local-user-"));
  onTestFinished(() => rmSync(elsewhere, { recursive: true }));
  symlinkSync(join(at.path, "store/server.sock"), join(elsewhere, "server.sock"));
  chmodSync(elsewhere, 0o700);
  const { stderr } = await run(["get", "secret"], { env: { SECRET_STORE_PATH: elsewhere } });
  expect(stderr).toContain(`error: no store in ${elsewhere} yet; `);
  expect(server.process.exitCode).toBeNull();
});

describe("M1: a repository that this user has unpacked", () => {
  test("doesn't say where a value goes, until its file is named, and then the command says where it went", async () => {
    await serve();
    const other = await startServe({ args: ["--auth", "none"] });
    onTestFinished(async () => void (await other.close()));
    mkdirSync(join(at.path, ".flyte"));
    const repository = join(at.path, "repository");
    for (const file of ["config.yaml", ".flyte/config.yaml"]) {
      mkdirSync(join(repository, ".flyte"), { recursive: true });
      writeFileSync(join(repository, file), `admin: { endpoint: "${other.endpoint}" }`);
      const { exitCode, stdout, stderr } = await run(["create", "secret", "a", "--from-file", "-"], {
        cwd: repository,
      });
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(
        `error: ${join(repository, file)} names admin.endpoint, and a file that was only found here`,
      );
      rmSync(join(repository, file));
    }
    const named = join(at.path, "named.yaml");
    writeFileSync(named, `admin: { endpoint: "${other.endpoint}" }`);
    const options = ["--config", named, "--from-file", "-"];
    expect((await run(["create", "secret", "a", ...options])).stdout).toBe(
      `Created secret a (global scope) at ${other.endpoint} (from ~/named.yaml).\n`,
    );
    expect((await run(["delete", "secret", "a", "--config", named])).stdout).toBe(
      `Deleted secret a (global scope) at ${other.endpoint} (from ~/named.yaml).\n`,
    );
  });

  test("runs no program, opens no port and says not who may call, until its file is named; a plugin then sees none of our keys", async () => {
    const repository = join(at.path, "repository");
    const ran = join(at.path, "ran");
    mkdirSync(repository);
    const plugin = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "sh",
      args: ["-c", `env > ${ran}; exit 1`],
    };
    const kubeconfig = {
      "current-context": "c",
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
      users: [{ name: "u", user: { exec: { ...plugin, interactiveMode: "Never" } } }],
    };
    writeFileSync(join(repository, "kubeconfig"), JSON.stringify(kubeconfig));
    const file = join(repository, "config.yaml");
    const env = {
      FLYTE_SECRETS_MASTER_KEY: Buffer.alloc(32, 7).toString("base64"),
      FLYTE_API_KEY: "k",
      FLYTE_SECRET_DB: CANARY,
    };
    const commands = [
      ["serve"],
      ["webhook"],
      ["certs"],
      ["explain", "k"],
      ["doctor", "--cluster"],
      ["token", "rotate"],
    ];
    for (const setting of [
      "secret: { kubernetes: { kubeconfig: ./kubeconfig } }",
      "secret: { auth: { mode: none, allowUnauthenticatedNetwork: true } }",
      "secret: { server: { host: 0.0.0.0 } }",
    ]) {
      writeFileSync(file, setting);
      for (const command of setting.includes("kubeconfig") ? commands : [["serve"]]) {
        const { exitCode, stdout, stderr } = await run(command, { cwd: repository, env });
        expect(exitCode).not.toBe(0);
        expect(stdout + stderr).toContain("is not for a file to give that was only found in the current directory");
      }
    }
    expect(existsSync(ran)).toBe(false);
    writeFileSync(file, "secret: { kubernetes: { kubeconfig: ./kubeconfig } }");
    await run(["certs", "--config", "config.yaml"], { cwd: repository, env });
    const seen = readFileSync(ran, "utf8");
    expect(seen).toContain("KUBERNETES_EXEC_INFO=");
    expect(seen).not.toMatch(/^FLYTE_/m);
  });
});

test("H1: a token that somebody has got is refused after `token rotate`, while the server runs", async () => {
  const server = await serve();
  const status = async (token: string) =>
    (await fetch(`${server.endpoint}/secrets/api/v1`, { headers: { authorization: `Bearer ${token}` } })).status;
  const { token: before } = server;
  expect(await status(before)).toBe(200);
  const rotations = await Promise.all([1, 2, 3].map(() => run(["token", "rotate"])));
  const file = join(at.path, "store/token");
  const told = {
    exitCode: 0,
    stdout: `A new token is in ${file}; the one before is refused from now on.\n`,
    stderr: "",
  };
  expect(rotations).toEqual([told, told, told]);
  expect([await status(before), await status(readFileSync(file, "utf8").trim())]).toEqual([401, 200]);
  // This user's commands need none.
  expect((await create()).exitCode).toBe(0);
});

describe("M8: the memory of a process that has values", () => {
  const FILTER = "00000000\n";
  const filterOf = (pid: number | undefined) => readFileSync(`/proc/${pid}/coredump_filter`, "utf8");
  const childrenOf = (pid: number | undefined) =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);

  test("of serve is in no core dump, and SIGUSR1 opens no inspector", async () => {
    const server = await serve();
    expect(filterOf(server.process.pid)).toBe(FILTER);
    for (let round = 0; round < 20; round++) {
      server.process.kill("SIGUSR1");
      expect((await fetch(`${server.endpoint}/healthz`)).status).toBe(200);
    }
    expect(server.output()).not.toContain("Debugger");
  });

  test("of the webhook's workers is in no core dump, and SIGUSR1 opens no inspector", async () => {
    const flags = [
      "--port",
      "0",
      "--webhook.cacheInvalidationPort",
      "0",
      "--executor.healthProbeBindAddress",
      "127.0.0.1:0",
    ];
    const more = [
      "--executor.metricsBindAddress=",
      "--webhook.embeddedSecretManagerConfig.delivery",
      "Inline",
      "--workers",
      "2",
    ];
    const webhook = spawn(process.execPath, [CLI, "webhook", ...flags, ...more], {
      env: { ...environment(), PATH: process.env.PATH },
    });
    const printed: string[] = [];
    for (const stream of [webhook.stdout, webhook.stderr]) stream.on("data", (chunk) => void printed.push(`${chunk}`));
    const output = () => printed.join("");
    const ended = once(webhook, "exit");
    onTestFinished(async () => {
      webhook.kill();
      await ended;
    });
    while (!output().includes("Stop: Ctrl-C"))
      await Promise.race([once(webhook.stdout, "data"), ended.then(() => Promise.reject(new Error(output())))]);
    const workers = childrenOf(webhook.pid);
    expect(workers).toHaveLength(2);
    expect([webhook.pid, ...workers].map(filterOf)).toEqual([FILTER, FILTER, FILTER]);
    const probes = /^Probes on port +(\d+)$/m.exec(output())?.[1];
    for (let round = 0; round < 20; round++) {
      for (const pid of [webhook.pid ?? 0, ...workers]) process.kill(pid, "SIGUSR1");
      expect((await fetch(`http://127.0.0.1:${probes}/healthz`)).status).toBe(200);
    }
    expect(output()).not.toContain("Debugger");
  });

  test("of a task that runs is in no core dump, and SIGUSR1 opens no inspector", async () => {
    await (await serve()).close();
    const file = join(at.path, "task.mjs");
    const sdk = join(import.meta.dirname, "../../packages/sdk/dist/index.js");
    writeFileSync(
      file,
      `import { readFileSync } from "node:fs";
       import { url } from "node:inspector";
       import { setTimeout } from "node:timers/promises";
       import { task } from ${JSON.stringify(sdk)};
       export const look = task({ name: "look" }, async () => {
         for (let round = 0; round < 20; round++) { process.kill(process.pid, "SIGUSR1"); await setTimeout(5); }
         return [readFileSync("/proc/self/coredump_filter", "utf8"), url() ?? "none"];
       });`,
    );
    const { stdout, stderr } = await run(["run", file, "look"]);
    expect({ stdout, stderr }).toEqual({ stdout: `${JSON.stringify([FILTER, "none"])}\n`, stderr: "" });
  });
});
