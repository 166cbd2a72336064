import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeOverEachStore, type OpenSuiteStore, type SuiteStore } from "../support/each-store.ts";
import { flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { FLYTE_SETUPS, type FlyteSetup } from "../support/flyte-setups.ts";
import { describeWith } from "../support/requirement.ts";
import { runProgram } from "../support/run-program.ts";

const CANARY = "canary-flyte-sdk-7d33";
const SCRIPT = join(import.meta.dirname, "flyte_sdk.py");

describeOverEachStore((openStore) => {
  for (const setup of FLYTE_SETUPS) {
    const { version, server } = setup;
    describeWith(requireFlyte(version), `flyte ${version}, flyte.remote.Secret: ${server}`, () =>
      suite(setup, openStore),
    );
  }
});

function suite({ version, server: kind }: FlyteSetup, openStore: OpenSuiteStore): void {
  let store: SuiteStore;
  let server: FlyteServer;
  let seen: Record<string, unknown>;
  beforeAll(async () => {
    store = await openStore();
    server = await startFlyteServer(kind, store.flags);
    const options = { env: { HOME: server.home }, cwd: server.home };
    const result = await runProgram(flytePythonOf(version), [SCRIPT, server.configFile, CANARY], options);
    expect(result, result.stderr).toMatchObject({ exitCode: 0 });
    expect(result.stdout + result.stderr).not.toContain(CANARY);
    seen = JSON.parse(result.stdout);
  });
  afterAll(async () => {
    expect(server.serve.output()).not.toContain(CANARY);
    expect(await server.close()).toEqual({ exitCode: 0 });
  });

  const stored = (name: string, domain = "", project = "") =>
    store.readValue(server.serve, { org: "flyte", domain, project, name });

  it("Secret.create: text and bytes at the global scope, in a domain and in a project", async () => {
    const allBytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at));
    expect((await stored("text"))?.toString()).toBe(`${CANARY} of the global scope`);
    expect((await stored("text", "development"))?.toString()).toBe(`${CANARY} of the domain scope`);
    expect((await stored("paged-000", "development", "p"))?.toString()).toBe(CANARY);
    expect([await stored("bytes"), await stored("bytes", "development")]).toEqual([allBytes, allBytes]);
  });

  it("Secret.create: of one that is there, already_exists", () => {
    expect(seen.duplicate).toMatchObject({ code: "already_exists" });
  });

  it("Secret.create(type='image_pull'): keeps the type; the client itself refuses a project", () => {
    expect(seen.pull).toEqual({ type: "image_pull", id: { organization: "testorg", name: "pull" } });
    expect(seen.pull_in_project).toEqual({ message: expect.stringContaining("should not be set when creating") });
  });

  it("Secret.get: the secret of that scope", () => {
    const id = { organization: "testorg", name: "text" };
    expect(seen.got).toEqual({
      global: { type: "regular", id },
      domain: { type: "regular", id: { ...id, domain: "development" } },
      project: { type: "regular", id: { ...id, domain: "development", project: "p" } },
    });
  });

  it("Secret.listall: all at the global scope, those of a domain, those of a project", () => {
    const project = ["p/development/bytes", "p/development/text"];
    const domain = ["/development/bytes", "/development/text", ...project];
    expect(seen.listed).toEqual({ global: ["//bytes", "//text", ...domain], domain, project });
  });

  it("Secret.listall: 250 in pages of 20, without loss or repetition", () => {
    const paged = Array.from({ length: 250 }, (_, n) => `paged-${String(n).padStart(3, "0")}`);
    expect(Array.isArray(seen.paged) && seen.paged.toSorted()).toEqual(paged);
  });

  it("Secret.get and Secret.delete: of an unknown name, not_found at every scope", () => {
    const missing = { code: "not_found", message: "secret nothing not found" };
    const both = [missing, missing];
    expect(seen.missing).toEqual({ global: both, domain: both, project: both });
  });

  it("Secret.delete: the one of that scope", async () => {
    expect(seen.deleted).toEqual({ code: "not_found", message: "secret text not found" });
    expect(await stored("text", "development", "p")).toBeUndefined();
  });

  it("cluster_pool: the global scope, since one service serves every pool; refused beside a project", () => {
    expect(seen.pooled).toEqual({ type: "regular", id: { organization: "testorg", name: "pooled" } });
    expect(seen.pool_names).toEqual(expect.arrayContaining(["pooled", "pull", "text"]));
    expect(seen.pooled_gone).toMatchObject({ code: "not_found" });
    expect(seen.pool_in_project).toEqual({ message: expect.stringContaining("should not be set when getting") });
  });
}
