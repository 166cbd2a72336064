import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

describe("doctor", () => {
  it("finds nothing wrong beside a running server", async () => {
    await using server = await at.serve();
    const result = await at.call("doctor");
    const name = `${process.versions.node}`;
    expect(result).toEqual(
      success(
        [
          `ok       Node ${name}, configuration in order`,
          `ok       ${at.store} is for this user alone (mode 0700)`,
          ...["store.db", "master.key", "server.json", "token"].map(
            (file) => `ok       ${at.store}/${file} is for this user alone (mode 0600)`,
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
    expect(await at.call("doctor")).toEqual(
      success(
        `ok       Node ${process.versions.node}, configuration in order\n` +
          `note     ${at.store} is not there yet; flyte-secrets serve makes it\n` +
          "note     no store yet; flyte-secrets serve makes one\n" +
          `note     no server is running on ${at.store}; flyte-secrets serve starts one\n`,
      ),
    );
  });

  it("names every problem with its remedy, and exits with 1", async () => {
    await at.keep({});
    chmodSync(at.store, 0o755);
    chmodSync(join(at.store, "master.key"), 0o644);
    const { exitCode, stdout, stderr } = await at.call("doctor");
    expect([exitCode, stderr]).toEqual([1, "error: 3 of 6 checks failed\n"]);
    expect(stdout).toContain(
      `problem  ${at.store} is open to other users (mode 0755)\n         chmod 700 ${at.store}\n`,
    );
    expect(stdout).toContain(
      `problem  ${at.store}/master.key is open to other users (mode 0644)\n         chmod 600 ${at.store}/master.key\n`,
    );
    expect(stdout).toContain("problem  the store does not open\n");
  });

  it("tells of a token that the server refuses", async () => {
    await using _server = await at.serve();
    writeFileSync(join(at.store, "token"), "another-token-000000\n");
    const { exitCode, stdout } = await at.call("doctor");
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`problem  the server refuses the token in ${at.store}/token (HTTP 401)\n`);
  });

  it("tells of a server that does not answer, and of a wrong configuration", async () => {
    await at.keep({});
    const gone = JSON.stringify({ endpoint: "http://127.0.0.1:9", pid: process.pid });
    writeFileSync(join(at.store, "server.json"), gone, { mode: 0o600 });
    expect((await at.call("doctor")).stdout).toContain("problem  http://127.0.0.1:9 does not answer (");
    expect((await at.call("doctor", "--secret.sever.port", "1")).stdout).toBe(
      "problem  flag --secret.sever.port: unknown key secret.sever; did you mean secret.server?\n" +
        "         correct the configuration; nothing else was checked\n",
    );
  });
});
