import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type ServeProcess, startServe } from "@flyte-secrets/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runProgram } from "../support/run-program.ts";
import { underAttack } from "./under-attack.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const TASKS = join(import.meta.dirname, "../../packages/cli/testdata/run/secrets.mjs");
const canMount = spawnSync("unshare", ["-rm", "true"]).status === 0;

let serve: ServeProcess;

beforeEach(async () => {
  serve = await startServe();
  expect((await call("CreateSecret", { id: { name: "there" }, secretSpec: { stringValue: "v" } })).status).toBe(200);
});

afterEach(async () => {
  // A program that was stopped for good takes no signal but this one.
  serve.process.kill("SIGCONT");
  await serve.close();
});

async function call(method: string, body: object): Promise<{ status: number; json: { code?: string } }> {
  const headers = { authorization: `Bearer ${serve.token}`, "content-type": "application/json", connection: "close" };
  const url = `${serve.endpoint}/flyteidl2.secret.SecretService/${method}`;
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as { code?: string } };
}

async function ask(): Promise<void> {
  const { status } = await call("GetSecret", { id: { name: "there" } });
  if (status !== 200) throw new Error(`answered ${status}`);
}

const attacked = () => ({ pid: serve.process.pid ?? 0, ask });

function limit(what: string): void {
  const { status, stderr } = spawnSync("prlimit", ["--pid", String(serve.process.pid), what], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

async function connections(count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(serve.port, "127.0.0.1").on("error", () => {});
      await Promise.race([once(socket, "connect"), once(socket, "close")]);
      return socket;
    }),
  );
}

test("out of file descriptors, it drops connections and serves again as soon as there are some", async () => {
  limit("--nofile=48:4096");
  const sockets = await connections(200);
  for (const socket of sockets) socket.destroy();
  await expect.poll(() => ask().then(() => "answered", String), { timeout: 20_000 }).toBe("answered");
  limit("--nofile=4096:4096");
  const { failures } = await underAttack(attacked(), async () => {});
  expect(failures).toEqual([]);
});

test("with a disk that is full, writes are refused or kept, and reads are answered every time, until it has room", async () => {
  const size = statSync(join(serve.env.SECRET_STORE_PATH ?? "", "store.db-wal")).size;
  limit(`--fsize=${size}:unlimited`);
  const codes = new Map<string, string | undefined>();
  const report = await underAttack(attacked(), async () => {
    for (let at = 0; at < 60; at++) {
      const stringValue = "x".repeat(20_000);
      const { json } = await call("CreateSecret", { id: { name: `k${at}` }, secretSpec: { stringValue } });
      codes.set(`k${at}`, json.code);
    }
  });
  // The first ones may find room in the log once it has been emptied.
  expect(new Set(codes.values())).toContain("resource_exhausted");
  expect(report.failures).toEqual([]);
  limit("--fsize=unlimited:unlimited");
  expect((await call("CreateSecret", { id: { name: "after" }, secretSpec: { stringValue: "v" } })).status).toBe(200);
  for (const [name, code] of codes) {
    const { status } = await call("GetSecret", { id: { name } });
    expect([name, code, status]).toEqual([name, code, code === undefined ? 200 : 404]);
  }
});

test("stopped while requests come, it answers all of them when it goes on", async () => {
  serve.process.kill("SIGSTOP");
  const asked = Array.from({ length: 50 }, () => ask());
  // They are there, in the kernel's queue: each connects without the program's doing.
  const waiting = await connections(50);
  serve.process.kill("SIGCONT");
  await expect(Promise.all(asked)).resolves.toHaveLength(50);
  for (const socket of waiting) socket.destroy();
  await ask();
});

test("SIGTERM while hundreds of half requests are in flight ends it in order, within its grace time", async () => {
  const sockets = await connections(300);
  for (const socket of sockets) socket.write("POST /flyteidl2.secret.SecretService/GetSecret HTTP/1.1\r\nHost: h\r\n");
  await ask();
  expect((await serve.close()).exitCode).toBe(0);
  for (const socket of sockets) socket.destroy();
});

test.skipIf(!canMount)(
  "without memory for files, a local run fails with a sentence and leaves nothing behind",
  async () => {
    const script = `mount -t tmpfs -o size=8k,mode=1777 none /dev/shm && exec "$0" "$@"`;
    const args = ["-rm", "sh", "-c", script, process.execPath, COMMAND, "run", TASKS, "readAll"];
    const { exitCode, stderr } = await runProgram("unshare", args, {
      env: { ...serve.env, HOME: serve.directory },
      cwd: serve.directory,
    });
    expect(exitCode).toBeGreaterThan(0);
    expect(stderr).not.toMatch(/internal fault|at file:|TypeError/);
  },
);
