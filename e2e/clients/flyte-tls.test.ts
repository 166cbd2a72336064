import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createFileStorage, issueCertificate } from "@flyte-secrets/certificates";
import { startServe } from "@flyte-secrets/testkit";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { FLYTE_VERSION, flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-tls-50c1";
const DAY_MS = 24 * 60 * 60 * 1000;

/** What a page of Flyte's would have: nothing but the file's name. */
const PROGRAM = `
import sys, flyte, flyte.remote
flyte.init_from_config(sys.argv[1])
flyte.remote.Secret.create("by-sdk", sys.argv[2])
print(sorted(secret.name for secret in flyte.remote.Secret.listall()))
`;

describeWith(requireFlyte(), `flyte ${FLYTE_VERSION}: the configuration that serve --tls writes`, () => {
  const python = flytePythonOf(FLYTE_VERSION);
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "flyte-tls-"));
    return () => rmSync(home, { recursive: true });
  });
  const config = () => join(home, "store/flyte.yaml");
  const run = (file: string, args: readonly string[]) =>
    runProgram(file, args, { env: { HOME: home, NO_COLOR: "1", COLUMNS: "200" }, cwd: home });

  async function serve(...args: string[]): Promise<void> {
    const server = await startServe({ directory: home, args });
    onTestFinished(async () => {
      expect(server.output()).not.toContain(CANARY);
      expect(await server.close()).toEqual({ exitCode: 0 });
    });
  }

  /** Flyte's command itself, as `pip` installs it, and a program with its SDK. */
  async function useBoth(): Promise<void> {
    const flyte = join(dirname(python), "flyte");
    const created = await run(flyte, ["--config", config(), "create", "secret", "by-command", "--value", CANARY]);
    expect(created, created.stderr).toMatchObject({ exitCode: 0 });
    const listed = await run(python, ["-c", PROGRAM, config(), CANARY]);
    expect(listed).toMatchObject({ exitCode: 0, stdout: "['by-command', 'by-sdk']\n" });
  }

  it("lets its command and its SDK in at once, by the token's file", async () => {
    await serve("--tls");
    await useBoth();
    expect(readFileSync(config(), "utf8")).not.toContain(readFileSync(join(home, "store/token"), "utf8").trim());
  });

  it("goes on doing so after a renewal, while two CAs count", async () => {
    const names = ["localhost", "127.0.0.1", "::1"];
    const due = await issueCertificate({ names, now: Date.now() - 300 * DAY_MS });
    const files = { certificate: "server-certificate.pem", ca: "ca.crt" };
    await createFileStorage(join(home, "store/tls"), files).create(due);
    await serve("--tls");
    expect(readFileSync(join(home, "store/tls/ca.crt"), "utf8").match(/BEGIN/g)).toHaveLength(2);
    await useBoth();
  });

  it("lets them in without TLS where nobody is asked for a token", async () => {
    await serve("--auth", "none");
    await useBoth();
  });
});
