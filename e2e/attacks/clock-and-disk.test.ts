// A clock that jumps and a file system that is full, while clients ask.
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServe } from "@flyte-secrets/testkit";
import { ask, podReview, postPod, taskPod } from "@flyte-secrets/webhook/testing";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../kubernetes/cluster.ts";
import { startProgram } from "../support/start-program.ts";
import { CHART_LIMIT_MIB, underAttack } from "./under-attack.ts";

const CLI = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const canMount = spawnSync("unshare", ["-rm", "true"]).status === 0;
/** `apt-get install faketime`. */
const [fakeTime] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");

async function call(
  endpoint: string,
  method: string,
  body: object,
  token = "",
): Promise<{ status: number; json: Answer }> {
  const headers = {
    "content-type": "application/json",
    connection: "close",
    ...(token && { authorization: `Bearer ${token}` }),
  };
  const url = `${endpoint}/flyteidl2.secret.SecretService/${method}`;
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, json: (await answer.json()) as Answer };
}

interface Answer {
  readonly code?: string;
  readonly token?: string;
  readonly secret?: { readonly secretMetadata: { readonly createdTime: string } };
  readonly secrets?: readonly { readonly id: { readonly name: string } }[];
}

test.skipIf(fakeTime === undefined)("a clock that jumps by years, there and back, stops nobody", async () => {
  const home = mkdtempSync(join(tmpdir(), "flyte-secrets-clock-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const clock = join(home, "clock");
  const jump = (to: string) => writeFileSync(clock, `${to}\n`);
  jump("+0");
  const admission = await freePort();
  const flags = {
    "webhook.enabled": "true",
    "webhook.listenPort": admission,
    "webhook.cacheInvalidationPort": "0",
    "webhook.embeddedSecretManagerConfig.delivery": "Inline",
    "webhook.scopeBinding.domains": "d",
    "executor.healthProbeBindAddress": "127.0.0.1:0",
    "executor.metricsBindAddress": "",
  };
  const serve = await startServe({
    args: Object.entries(flags).map(([path, value]) => `--${path}=${value}`),
    // Intervals are those of a clock that nobody sets.
    env: {
      LD_PRELOAD: fakeTime ?? "",
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  });
  onTestFinished(async () => void (await serve.close()));
  const id = { name: "stripe", project: "p", domain: "d" };
  const secrets = (method: string, body: object) => call(serve.endpoint, method, body, serve.token);
  const write = async (method: string, stringValue: string) => {
    expect(await secrets(method, { id, secretSpec: { stringValue } })).toMatchObject({ status: 200 });
  };
  const review = podReview(taskPod([ask("stripe")]));
  const webhook = { port: admission, ca: "" };
  const admitted = () => postPod(webhook, review, { rejectUnauthorized: false, agent: false });
  await write("CreateSecret", "value-0");
  for (let at = 0; at < 10; at++) {
    await secrets("CreateSecret", { id: { name: `k${at}` }, secretSpec: { stringValue: "v" } });
  }

  const program = {
    pid: serve.process.pid ?? 0,
    ask: async () => {
      expect(await admitted()).toContain("value-");
      expect(await secrets("GetSecret", { id })).toMatchObject({ status: 200 });
    },
  };
  const jumps = ["+10y", "-10y", "+10y", "+0", "-50y", "+1h", "-1h", "+70y", "+0"];
  const thisYear = new Date().getUTCFullYear();
  const years: number[] = [];
  const report = await underAttack(program, async () => {
    for (const [at, to] of jumps.entries()) {
      const first = (await secrets("ListSecrets", { limit: 5 })).json;
      jump(to);
      // Written before, seen after; and a page goes on where the one before it ended.
      await write("UpdateSecret", `value-${at + 1}`);
      expect(await admitted()).toContain(`value-${at + 1}`);
      const second = (await secrets("ListSecrets", { limit: 10, token: first.token })).json;
      const names = [...(first.secrets ?? []), ...(second.secrets ?? [])].map((secret) => secret.id.name);
      expect([...new Set(names)]).toHaveLength(11);
      const made = { name: `made-${at}`, project: "p", domain: "d" };
      await secrets("CreateSecret", { id: made, secretSpec: { stringValue: "v" } });
      const { json } = await secrets("GetSecret", { id: made });
      years.push(new Date(json.secret?.secretMetadata.createdTime ?? "").getUTCFullYear());
      await secrets("DeleteSecret", { id: made });
    }
  });
  expect(report.failures).toEqual([]);
  expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);
  // Else nothing has been tried.
  expect(years).toEqual(jumps.map((to) => thisYear + (to.endsWith("y") ? Number(to.slice(0, -1)) : 0)));
});

test.skipIf(!canMount)(
  "on a file system that is full under attack, writes are refused, reads are answered, and all goes on with room",
  async () => {
    const home = mkdtempSync(join(tmpdir(), "flyte-secrets-full-"));
    onTestFinished(() => rmSync(home, { recursive: true }));
    const port = await freePort();
    const mount = `mount -t tmpfs -o size=3m,mode=700 none ${home} && exec "$0" "$@"`;
    const args = ["-rm", "sh", "-c", mount, process.execPath, CLI, "serve", "--port", String(port), "--auth", "none"];
    const program = await startProgram("unshare", args, { ready: /Stop: Ctrl-C/, env: { HOME: home } });
    onTestFinished(() => program.stop());
    const endpoint = `http://127.0.0.1:${port}`;
    const create = (name: string) =>
      call(endpoint, "CreateSecret", { id: { name }, secretSpec: { stringValue: "x".repeat(20_000) } });
    expect(await create("there")).toMatchObject({ status: 200 });
    const asked = {
      pid: program.pid,
      ask: async () => {
        expect(await call(endpoint, "GetSecret", { id: { name: "there" } })).toMatchObject({ status: 200 });
        expect(await call(endpoint, "ListSecrets", { limit: 5 })).toMatchObject({ status: 200 });
      },
    };
    const written: string[] = [];
    const codes = new Set<string | undefined>();
    const report = await underAttack(asked, async () => {
      const writer = async (who: number) => {
        for (let at = 0; at < 60; at++) {
          const name = `w${who}-${at}`;
          const { status, json } = await create(name);
          if (status === 200) written.push(name);
          else codes.add(json.code);
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, who) => writer(who)));
    });
    expect(report.failures).toEqual([]);
    expect(written.length).toBeGreaterThan(5);
    expect([...codes]).toEqual(["resource_exhausted"]);
    expect(report.peakMib).toBeLessThan(CHART_LIMIT_MIB);

    const remount = [
      "-t",
      String(program.pid),
      "-m",
      "-U",
      "--preserve-credentials",
      "mount",
      "-o",
      "remount,size=64m",
      home,
    ];
    const { status, stderr } = spawnSync("nsenter", remount, { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    expect(await create("after")).toMatchObject({ status: 200 });
    for (const name of written)
      expect(await call(endpoint, "GetSecret", { id: { name } })).toMatchObject({ status: 200 });
  },
);
