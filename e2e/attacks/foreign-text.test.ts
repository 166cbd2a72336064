import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { SecretService } from "@flyte-secrets/idl";
import { describe, expect, test } from "vitest";
import { CLI, useLocalHome } from "../support/local-home.ts";
import { runProgram } from "../support/run-program.ts";

const at = useLocalHome();
const { create, environment, run } = at;

describe("L1: what a terminal would act on", () => {
  const HOSTILE = "\u001b]0;title\u0007\u001b[2J\u009b31m\u202eexe\rhidden\u007f";
  const SHOWN = "\\u001b]0;title\\u0007\\u001b[2J\\u009b31m\\u202eexe\\u000dhidden\\u007f";

  test("in a server's error message is shown as an escape", async () => {
    await using server = createServer((_, response) => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ code: "invalid_argument", message: HOSTILE }));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await create("--endpoint", endpoint)).toEqual({ exitCode: 1, stdout: "", stderr: `error: ${SHOWN}\n` });
  });

  test("in the names of a foreign server's secrets is shown as an escape, and JSON of them stays JSON", async () => {
    const routes = (router: ConnectRouter) =>
      void router.service(SecretService, {
        listSecrets: () => ({ secrets: [{ id: { name: HOSTILE, project: HOSTILE } }] }),
      });
    await using server = createServer(connectNodeAdapter({ routes }));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const list = (format: string) => run(["get", "secret", "--endpoint", endpoint, "-o", format]);
    for (const format of ["table", "table-simple", "json", "json-raw"]) {
      const { exitCode, stdout, stderr } = await list(format);
      expect([exitCode, stderr]).toEqual([0, ""]);
      expect(stdout).not.toMatch(/(?!\n)\p{Cc}|\p{Cf}/u);
      if (format.startsWith("json")) expect(JSON.stringify(JSON.parse(stdout))).toContain(JSON.stringify(HOSTILE));
    }
  });

  test("in a manifest, a path or an option is shown as an escape", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: HOSTILE, namespace: HOSTILE, labels: {} },
      spec: { containers: [] },
    };
    writeFileSync(join(at.path, "pod.json"), JSON.stringify(pod));
    for (const args of [
      ["mutate", "-f", "pod.json"],
      ["doctor", "--pods", "pod.json"],
      ["explain", "-f", "pod.json"],
      ["import", `${HOSTILE}.env`],
      ["import", "pod.json", "--format", HOSTILE],
      ["serve", `--secret.${HOSTILE}`, "1"],
      ["run", `${HOSTILE}.ts`, HOSTILE],
      [HOSTILE],
    ]) {
      const { stdout, stderr } = await run(args);
      expect(stdout + stderr).not.toMatch(/(?![\n\t])\p{Cc}|\p{Cf}/u);
    }
  });
});

describe("L2: a file of somebody else's to import", () => {
  const refusedImport = async (name: string, text: string) => {
    writeFileSync(join(at.path, name), text);
    const { exitCode, stdout, stderr } = await run(["import", name, "--endpoint", "http://127.0.0.1:1"]);
    expect([exitCode, stdout]).toEqual([1, ""]);
    return stderr;
  };
  const secret = (data: string) => `kind: Secret\nmetadata: {name: s}\nstringData:\n${data}`;
  const laughs = (deep: number) =>
    Array.from({ length: deep }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at}, `.repeat(9)}*l${at}]\n`).join("");

  test.each([
    [
      "billion laughs",
      "a.yaml",
      `l0: &l0 [x]\n${laughs(9)}`,
      "the file can't be read as YAML: aliases that lead nowhere, or stand for too much",
    ],
    [
      "90,000 aliases",
      "a.yaml",
      secret(Array.from({ length: 90_000 }, (_, at) => ` a${at}: &a${at} v\n b${at}: *a${at}\n`).join("")),
      "the file can't be read as YAML: more than 100 aliases at line 205",
    ],
    [
      "a million levels",
      "a.yaml",
      "[".repeat(1_000_000),
      "the file can't be read as YAML: nested more than 100 levels deep at line 1",
    ],
    [
      "JavaScript",
      "a.yaml",
      secret(' a: !!js/function "x"\n'),
      "the file can't be read as YAML: TAG_RESOLVE_FAILED at line 4",
    ],
    [
      "a name twice in YAML",
      "a.yaml",
      secret(" a: 1\n a: 2\n"),
      "the file can't be read as YAML: DUPLICATE_KEY at line 5",
    ],
    [
      "a name twice in JSON",
      "a.json",
      '{"a": "1",\n "\\u0061": "2"}',
      "the file has a name twice in one object: line 2, column 2",
    ],
    [
      "a name twice in a Secret's JSON",
      "a.yaml",
      '{"kind": "Secret", "stringData": {"a": "1", "a": "2"}}',
      "the file can't be read as YAML: DUPLICATE_KEY at line 1",
    ],
    ["a name twice in .env", "a.env", "A=1\nA=2\n", "line 2: A stands twice in the file"],
    [
      "quotes without end",
      "a.env",
      `${Array.from({ length: 100_000 }, (_, at) => `A${at}='\n'\n`).join("")}B='`,
      "line 200001: the ' of B has no end",
    ],
  ])("that holds %s is refused in one line", async (_, name, text, problem) => {
    expect(await refusedImport(name, text)).toBe(`error: ${name}: ${problem}\n`);
  });

  test("that never ends is read to the limit and no further, on every way in", async () => {
    const limit = (what: string, bytes: number) =>
      `error: ${what} has more than ${bytes} bytes; nothing of it was used\n`;
    const zero = "/dev/zero";
    const results = [
      await run(["import", zero, "--format", "env", "--local"]),
      await run(["import", zero, "--format", "json", "--max-bytes", "1000", "--local"]),
      await run(["create", "secret", "a", "--from-file", zero, "--local"]),
      await run([
        "create",
        "secret",
        "a",
        "--type",
        "image_pull",
        "--from-docker-config",
        "--docker-config-path",
        zero,
        "--local",
      ]),
      await run(["mutate", "-f", zero]),
      await runProgram("sh", ["-c", `"$0" "$1" import --format env --local - < /dev/zero`, process.execPath, CLI], {
        env: environment(),
      }),
    ];
    expect(results.map(({ stderr }) => stderr)).toEqual([
      limit(`file ${zero}`, 16_777_216),
      limit(`file ${zero}`, 1000),
      limit(`--from-file ${zero}`, 1_048_576),
      limit(`--docker-config-path ${zero}`, 16_777_216),
      limit(`--filename ${zero}`, 16_777_216),
      limit("standard input", 16_777_216),
    ]);
  });
});
