import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";
import { CONFORMANCE_VERSION, CONNECT_CONFORMANCE, requireConformance, writeDescriptors } from "./suite.ts";

const file = (name: string) => join(import.meta.dirname, name);

describeWith(requireConformance(), `Connect's conformance suite ${CONFORMANCE_VERSION}: plain, TLS`, () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "flyte-secrets-conformance-"));
    writeDescriptors(join(directory, "descriptors"));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it("passes over HTTP/1.1 and HTTP/2, Connect, gRPC and gRPC-Web, with and without TLS, but for what is known", async () => {
    const settings = [
      "--mode",
      "server",
      "--conf",
      file("config.yaml"),
      "--known-failing",
      `@${file("known-failing.txt")}`,
    ];
    const load = ["--max-servers", "2", "--parallel", "4"];
    const server = [process.execPath, file("server-under-test.ts"), join(directory, "descriptors")];
    const result = await runProgram(CONNECT_CONFORMANCE, [...settings, ...load, "--", ...server]);
    // Known failures must fail; the suite says so when one doesn't any more.
    expect(result, result.stdout + result.stderr).toMatchObject({ exitCode: 0 });
    expect(result.stdout).toMatch(/Total cases: 1407\n1367 passed, 0 failed\n.*40 failed as expected/);
  });
});
