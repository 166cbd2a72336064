// What the Vault manager writes into a pod's annotations, handed to the engine of Vault's agent as the agent injector
// hands it, against a real Vault: the files that a task then finds.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MountRequirement } from "@flyte-secrets/core";
import { createVaultInjector, type PodEdit, SECRETS_DIRECTORY } from "@flyte-secrets/inject";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { requireVault, startVault, type VaultServer } from "../fetchers/vault-server.ts";
import { describeWith, type Requirement } from "../support/requirement.ts";
import { type AgentTemplate, requireVaultAgent, runVaultAgent } from "../support/vault-agent.ts";

const PREFIX = "vault.hashicorp.com/";
const VALUES: Readonly<Record<string, string>> = {
  password: "s3cret",
  "api-key": "line one\nline two\n",
  "1st": "",
  "user.name": "<no value>",
  'q"x': "{{ .Data }}",
  "back\\slash": " spaces ",
  ключ: "значение 🔑",
  "}}": "-}}",
  digits: "12345678901234567890",
  json: '{"user":"u","password":"p"}',
};

function requireBoth(): Requirement {
  const [vault, agent] = [requireVault(), requireVaultAgent()];
  return vault.missing ? vault : agent;
}

interface Asked {
  readonly group: string;
  readonly key: string;
  readonly groupVersion: string;
}

/**
 * The agent's configuration for a request, as
 * https://developer.hashicorp.com/vault/docs/deploy/kubernetes/injector/annotations has it.
 */
async function templateFor(asked: Asked, directory: string, kvVersion: "1" | "2"): Promise<AgentTemplate> {
  const request = { ...asked, mountRequirement: MountRequirement.FILE, envVar: "" };
  const context = { labels: {}, namespace: "n", variables: { prefix: "_UNION_", style: "raw" } } as const;
  const injection = await createVaultInjector({ kvVersion }).inject(request, context);
  if (!injection.injected) throw new Error(injection.reason);
  const annotations = injection.edits.filter(
    (edit): edit is Extract<PodEdit, { kind: "annotation" }> => edit.kind === "annotation",
  );
  const annotation = (name: string) => annotations.find((one) => one.name.startsWith(PREFIX + name))?.value ?? "";
  expect(annotation("secret-volume-path")).toBe(SECRETS_DIRECTORY);
  return {
    contents: annotation("agent-inject-template-"),
    destination: join(directory, annotation("agent-inject-file-")),
    errorOnMissingKey: annotation("error-on-missing-key-") === "true",
  };
}

describeWith(requireBoth(), "Vault's agent, told by the Vault manager", () => {
  let vault: VaultServer;
  beforeAll(async () => {
    vault = await startVault();
    for (const version of ["1", "2"] as const) {
      await vault.call("POST", `sys/mounts/kv${version}`, { type: "kv", options: { version } });
      await put(version, "shop/db", VALUES);
      // The engine takes values out of its errors: an empty one between any two letters.
      await put(version, "shop/few", { password: VALUES.password });
    }
  });
  afterAll(() => vault?.close());

  const pathOf = (version: "1" | "2", path: string) => (version === "1" ? `kv1/${path}` : `kv2/data/${path}`);
  const put = (version: "1" | "2", path: string, data: object) =>
    vault.call("POST", pathOf(version, path), version === "1" ? data : { data });

  test.each([
    ["1", "kv1", "2"],
    ["1", "", "1"],
    ["2", "kv2", "1"],
    ["2", "", "2"],
  ] as const)("writes every value of KV version %s, byte for byte (group version %j, configured for %s)", async (version, groupVersion, kvVersion) => {
    const directory = createTemporaryDirectory();
    const group = pathOf(version, "shop/db");
    const templates = await Promise.all(
      Object.keys(VALUES).map((key) => templateFor({ group, key, groupVersion }, directory, kvVersion)),
    );
    expect(await runVaultAgent(vault, templates)).toMatchObject({ exitCode: 0, stderr: "" });
    const read = Object.keys(VALUES).map((key) => [key, readFileSync(join(directory, group, key), "utf8")]);
    expect(Object.fromEntries(read)).toEqual(VALUES);
  });

  // What was put as a number, as JSON has it, stays as it was written.
  test("writes a number's own digits", async () => {
    await put("2", "numbers", { port: 5432, "big-id": 9007199254740991 });
    const directory = createTemporaryDirectory();
    const group = "kv2/data/numbers";
    const keys = ["port", "big-id"];
    const templates = await Promise.all(
      keys.map((key) => templateFor({ group, key, groupVersion: "kv2" }, directory, "2")),
    );
    expect(await runVaultAgent(vault, templates)).toMatchObject({ exitCode: 0 });
    expect(keys.map((key) => readFileSync(join(directory, group, key), "utf8"))).toEqual(["5432", "9007199254740991"]);
  });

  test.each([
    "1",
    "2",
  ] as const)("fails for a key that KV version %s doesn't have, and writes no file", async (version) => {
    for (const key of ["missing", "mis-sing", "1missing"]) {
      const directory = createTemporaryDirectory();
      const group = pathOf(version, "shop/few");
      const template = await templateFor({ group, key, groupVersion: `kv${version}` }, directory, "2");
      const { exitCode, stderr } = await runVaultAgent(vault, [template]);
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/no entry for key|nil/)]);
      expect(existsSync(template.destination)).toBe(false);
      expect(stderr).not.toContain(VALUES.password);
    }
  });

  test.each(["1", "2"] as const)("fails for a path that KV version %s doesn't have", async (version) => {
    const directory = createTemporaryDirectory();
    const asked = { group: pathOf(version, "nowhere"), key: "k", groupVersion: `kv${version}` };
    const template = await templateFor(asked, directory, "2");
    expect(await runVaultAgent(vault, [template])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("nowhere"),
    });
    expect(existsSync(template.destination)).toBe(false);
  });
});
