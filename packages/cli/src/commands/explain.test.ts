import { describe, expect, it } from "vitest";
import { success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-9d41c7";

describe("explain", () => {
  const explain = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await at.call("explain", "-p", "shop", "-d", "dev", "-o", "json", ...args)).stdout);

  it("shows each place where the managers look, and stops where the secret is found", async () => {
    await at.keep({ "dev/api-key": CANARY, "api-key": "broader" });
    const simple = await at.call("explain", "api-key", "-p", "shop", "-d", "dev", "-of", "table-simple");
    expect(simple).toEqual(
      success(
        "manager   looked at      name                                                     result\n" +
          "Global    -              -                                                        global secrets require both group and key to be set\n" +
          "Embedded  project scope  u__org__flyte__domain__dev__project__shop__key__api-key  not found\n" +
          "Embedded  domain scope   u__org__flyte__domain__dev__project____key__api-key      found\n",
      ),
    );
  });

  it("does not ask further managers when one serves the request", async () => {
    await at.keep({ password: "x" });
    at.env.FLYTE_SECRET_DB_PASSWORD = CANARY;
    expect(await explain("password", "--group", "db")).toEqual([
      {
        manager: "Global",
        outcome: "serves",
        places: [{ kind: "variable", name: "FLYTE_SECRET_DB_PASSWORD", found: true }],
      },
      { manager: "Embedded", outcome: "not asked" },
    ]);
  });

  it("says why a secret that is there cannot be served, with exit code 1", async () => {
    await at.keep({ bytes: Uint8Array.of(255) });
    const result = await at.call("explain", "bytes", "-p", "shop", "-d", "dev", "--mount", "env");
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toContain("found");
    expect(result.stderr).toMatch(/^error: .*mount as a file instead.*\n$/);
  });

  it("says with exit code 1 that nobody has a secret, and how to create it", async () => {
    await at.keep({ other: "x" });
    const result = await at.call("explain", "missing", "-p", "shop", "-d", "dev");
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      "error: no secret manager of this machine serves missing; create it: flyte-secrets create secret missing -p shop -d dev\n",
    );
  });
});
