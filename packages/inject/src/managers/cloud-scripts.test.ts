import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAzureInjector } from "./azure.ts";
import { createGcpInjector } from "./gcp.ts";
import { type Injector, type InjectorEdit, SECRETS_DIRECTORY } from "./injector.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "flyte-secrets-scripts-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Puts a program on PATH that writes down its arguments, one a line, and then does `body`. */
function stub(name: string, body: string) {
  const path = join(home, name);
  writeFileSync(
    path,
    `#!/bin/sh\n{ echo "${name}"; for word; do printf '%s\\n' "$word"; done; echo; } >> '${home}/calls'\n${body}\n`,
  );
  chmodSync(path, 0o755);
}

/** Runs the script of an injector's init container as the container would, with secrets below `home`. */
async function run(injector: Injector, fields: { group: string; groupVersion?: string }, env = {}) {
  const request = { groupVersion: "", key: "", mountRequirement: 2, envVar: "", ...fields };
  const variables = { prefix: "_UNION_", style: "raw" } as const;
  const injection = await injector.inject(request, { labels: {}, namespace: "n", variables });
  if (!injection.injected) throw new Error(injection.reason);
  const [command = "", ...args] = commandOf(injection.edits).map((word) =>
    word.replaceAll(SECRETS_DIRECTORY, `${home}/secrets`),
  );
  const result = spawnSync(command, args, { env: { PATH: `${home}:/usr/bin:/bin`, ...env }, encoding: "utf8" });
  const calls = readFileSync(join(home, "calls"), "utf8").trimEnd().replaceAll(home, "HOME").split("\n\n");
  return { status: result.status, stderr: result.stderr, calls: calls.map((call) => call.split("\n")) };
}

function commandOf(edits: readonly InjectorEdit[]): readonly string[] {
  for (const edit of edits) if (edit.kind === "initContainer") return edit.container.command ?? [];
  throw new Error("no init container");
}

const content = (path: string) => readFileSync(join(home, "secrets", path), "utf8");

describe("the script of GCP", () => {
  it("asks for the resource name, and makes the file readable", async () => {
    stub(
      "gcloud",
      `for word; do case $word in --out-file=*) umask 077; printf value > "\${word#--out-file=}" ;; esac; done`,
    );
    const { status, calls } = await run(createGcpInjector(), { group: "projects/p/secrets/S", groupVersion: "Latest" });
    const out = "--out-file=HOME/secrets/projects/p/secrets/s/latest";
    expect(calls).toEqual([["gcloud", "secrets", "versions", "access", "projects/p/secrets/S/versions/Latest", out]]);
    expect(status).toBe(0);
    expect(content("projects/p/secrets/s/latest")).toBe("value");
    expect(statSync(join(home, "secrets/projects/p/secrets/s/latest")).mode & 0o777).toBe(0o644);
  });

  it("asks for the name alone when that fails", async () => {
    stub(
      "gcloud",
      `case $4 in */*) exit 1 ;; esac\nfor word; do case $word in --out-file=*) printf value > "\${word#--out-file=}" ;; esac; done`,
    );
    const { status, calls } = await run(createGcpInjector(), { group: "S", groupVersion: "7" });
    const out = "--out-file=HOME/secrets/s/7";
    expect(calls).toEqual([
      ["gcloud", "secrets", "versions", "access", "S/versions/7", out],
      ["gcloud", "secrets", "versions", "access", "7", "--secret=S", out],
    ]);
    expect(status).toBe(0);
    expect(content("s/7")).toBe("value");
  });

  it("fails when the secret can't be had, so that the pod doesn't start without it", async () => {
    stub("gcloud", "exit 3");
    expect((await run(createGcpInjector(), { group: "S", groupVersion: "7" })).status).toBe(3);
  });
});

describe("the script of Azure", () => {
  const az = `case $1 in keyvault) echo value ;; esac`;
  const login = [
    "az",
    "login",
    "--service-principal",
    "-u",
    "client",
    "-t",
    "tenant",
    "--federated-token",
    "token with spaces",
  ];
  const identity = () => {
    writeFileSync(join(home, "token"), "token with spaces\n");
    return { AZURE_CLIENT_ID: "client", AZURE_TENANT_ID: "tenant", AZURE_FEDERATED_TOKEN_FILE: join(home, "token") };
  };

  it("logs in and writes the version of the secret that is asked for", async () => {
    stub("az", az);
    const uri = "https://v.vault.azure.net/secrets/Name";
    const { status, calls, stderr } = await run(
      createAzureInjector(),
      { group: `${uri}//`, groupVersion: "V1" },
      identity(),
    );
    expect(stderr).toBe("");
    expect(calls).toEqual([
      login,
      ["az", "keyvault", "secret", "show", "--id", `${uri}/V1`, "--query", "value", "-o", "tsv"],
    ]);
    expect(status).toBe(0);
    expect(content("name/v1")).toBe("value\n");
  });

  it("writes the newest into a file of the secret's name when no version is asked for", async () => {
    stub("az", az);
    const { calls } = await run(createAzureInjector(), { group: "https://v/secrets/n" }, identity());
    expect(calls[1]).toEqual([
      "az",
      "keyvault",
      "secret",
      "show",
      "--id",
      "https://v/secrets/n",
      "--query",
      "value",
      "-o",
      "tsv",
    ]);
    expect(content("n")).toBe("value\n");
  });

  it("fails when the login fails", async () => {
    stub("az", "exit 4");
    const { status, calls } = await run(createAzureInjector(), { group: "https://v/secrets/n" }, identity());
    expect(status).toBe(4);
    expect(calls).toEqual([login]);
  });
});
