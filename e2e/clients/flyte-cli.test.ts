import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeOverEachStore, type OpenSuiteStore, type SuiteStore } from "../support/each-store.ts";
import { failsInFlyte } from "../support/fails-in-flyte.ts";
import { type FlyteCommand, flyteCommand } from "../support/flyte-command.ts";
import { requireFlyte } from "../support/flyte-python.ts";
import { type FlyteServer, startFlyteServer } from "../support/flyte-server.ts";
import { commandSetups, type FlyteSetup } from "../support/flyte-setups.ts";
import { describeWith } from "../support/requirement.ts";

const CANARY = "canary-flyte-cli-20e7";
const DOMAIN = ["--domain", "development"];
const PROJECT = ["--project", "p", ...DOMAIN];
const BYTES = Buffer.from([0, 255, 10, 13, 128]);

/** What is in a `.dockerconfigjson` for these registries, with the same credentials for all. */
const auths = (...registries: string[]) => ({
  auths: Object.fromEntries(registries.map((registry) => [registry, { auth: btoa(`u:${CANARY}`) }])),
});

describeOverEachStore((openStore, store) => {
  for (const setup of commandSetups(store)) {
    const { version, server } = setup;
    describeWith(requireFlyte(version), `flyte ${version}, its command: ${server}`, () => suite(setup, openStore));
  }
});

function suite({ version, server: kind }: FlyteSetup, openStore: OpenSuiteStore): void {
  let store: SuiteStore;
  let server: FlyteServer;
  let flyte: FlyteCommand;
  beforeAll(async () => {
    store = await openStore();
    server = await startFlyteServer(kind, store.flags);
    flyte = flyteCommand(version, server);
  });
  afterAll(async () => {
    expect(server.serve.output()).not.toContain(CANARY);
    expect(await server.close()).toEqual({ exitCode: 0 });
  });

  const create = (name: string, ...args: string[]) => flyte.succeed("create", "secret", name, ...args);
  const stored = (name: string, domain = "", project = "") =>
    store.readValue(server.serve, { org: "flyte", domain, project, name });
  const text = async (name: string, domain = "", project = "") => (await stored(name, domain, project))?.toString();
  const storedJson = async (name: string) => JSON.parse((await text(name)) ?? "");

  it("create secret --value: at the global scope, in a domain and in a project; an empty value is one", async () => {
    await Promise.all([
      create("api-key", "--value", `${CANARY} of all`),
      create("api-key", "--value", `${CANARY} of the domain`, ...DOMAIN),
      create("api-key", "--value", `${CANARY} of the project`, ...PROJECT),
      create("empty", "--value", ""),
    ]);
    expect([
      await text("api-key"),
      await text("api-key", "development"),
      await text("api-key", "development", "p"),
      await text("empty"),
    ]).toEqual([`${CANARY} of all`, `${CANARY} of the domain`, `${CANARY} of the project`, ""]);
  });

  it("create secret --from-file: bytes as they are", async () => {
    const file = join(server.home, "value.bin");
    writeFileSync(file, BYTES);
    await create("by-file", "--from-file", file, ...PROJECT);
    expect(await stored("by-file", "development", "p")).toEqual(BYTES);
  });

  it("create secret: the value typed at its prompt, which shows none of it", async () => {
    const steps = [{ after: "Enter secret value:", type: CANARY }];
    const { exitCode, screen } = await flyte.type(["create", "secret", "by-prompt"], steps);
    expect({ exitCode, screen }).toMatchObject({ exitCode: 0 });
    expect(screen).not.toContain(CANARY);
    expect(await text("by-prompt")).toBe(CANARY);
  });

  it("create secret: of one that is there, exit code 1 and the words that its users know", async () => {
    const { exitCode, stderr } = await flyte.run("create", "secret", "api-key", "--value", "another");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Resource already exists.");
    expect(await text("api-key")).toBe(`${CANARY} of all`);
  });

  it("create secret: which rule a name or a scope breaks, exit code 1", async () => {
    const [name, scope] = await Promise.all([
      flyte.run("create", "secret", "bad.name", "--value", CANARY),
      flyte.run("create", "secret", "no-domain", "--value", CANARY, "--project", "p"),
    ]);
    expect([name.exitCode, scope.exitCode]).toEqual([1, 1]);
    expect(name.stderr).toMatch(/Invalid argument provided.*name/);
    expect(scope.stderr).toMatch(/Invalid argument provided.*project-scoped secrets must also specify a domain/);
  });

  it("create secret --type image_pull: --registry, --username and --password", async () => {
    const credentials = ["--registry", "one.example", "--username", "u", "--password", CANARY];
    await create("pull", "--type", "image_pull", ...credentials);
    expect(await storedJson("pull")).toEqual(auths("one.example"));
  });

  it("create secret --type image_pull: the password, or all, typed at its prompts", async () => {
    const image = ["--type", "image_pull"];
    const username = { after: "Username:", type: "u" };
    const password = { after: "Password:", type: CANARY };
    const runs = await Promise.all([
      flyte.type(
        ["create", "secret", "pull-password", ...image, "--registry", "two.example", "--username", "u"],
        [password],
      ),
      flyte.type(
        ["create", "secret", "pull-prompts", ...image],
        [
          // It asks for a value first, and doesn't use it.
          { after: "Enter secret value:", type: "unused" },
          { after: "Registry", type: "three.example" },
          username,
          password,
        ],
      ),
    ]);
    for (const { exitCode, screen } of runs) {
      expect({ exitCode, screen }).toMatchObject({ exitCode: 0 });
      expect(screen).not.toContain(CANARY);
    }
    expect(await storedJson("pull-password")).toEqual(auths("two.example"));
    expect(await storedJson("pull-prompts")).toEqual(auths("three.example"));
  });

  it("create secret --type image_pull --from-docker-config: the user's, one elsewhere, some of its registries", async () => {
    const docker = join(server.home, ".docker");
    mkdirSync(docker);
    writeFileSync(join(docker, "config.json"), JSON.stringify(auths("home.example")));
    const elsewhere = join(server.home, "docker.json");
    writeFileSync(elsewhere, JSON.stringify({ ...auths("a.example", "b.example", "c.example"), HttpHeaders: {} }));
    const from = ["--type", "image_pull", "--from-docker-config"];
    const path = ["--docker-config-path", elsewhere];
    await Promise.all([
      create("pull-home", ...from),
      create("pull-elsewhere", ...from, ...path),
      create("pull-some", ...from, ...path, "--registries", "a.example,c.example"),
    ]);
    expect(await storedJson("pull-home")).toEqual(auths("home.example"));
    expect(await storedJson("pull-elsewhere")).toEqual(auths("a.example", "b.example", "c.example"));
    expect(await storedJson("pull-some")).toEqual(auths("a.example", "c.example"));
  });

  it("get secret NAME: the secret of that scope, its type, and where it is", async () => {
    const [inProject, pull] = await Promise.all([flyte.get("api-key", ...PROJECT), flyte.get("pull")]);
    expect(inProject).toEqual({
      id: { organization: "testorg", domain: "development", project: "p", name: "api-key" },
      secretMetadata: {
        createdTime: expect.stringMatching(/^20\d\d-.*Z$/),
        secretStatus: {
          overallStatus: "FULLY_PRESENT",
          clusterStatus: [{ cluster: { name: "flyte-devbox" }, presenceStatus: "PRESENT" }],
        },
      },
    });
    expect(pull).toMatchObject({
      id: { name: "pull" },
      secretMetadata: { type: "SECRET_TYPE_IMAGE_PULL_SECRET" },
    });
  });

  it("get secret NAME as JSON", async ({ task }) => {
    failsInFlyte(task, "it prints a Python literal, whatever format is asked for");
    const { stdout } = await flyte.succeed("-of", "json-raw", "get", "secret", "empty");
    expect(stdout).toContain("'name': 'empty'");
  });

  it("get secret: all, those of a domain and those of a project, as JSON and as a table", async () => {
    const inProject = ["p/development/api-key", "p/development/by-file"];
    const inDomain = ["/development/api-key", ...inProject];
    const pulls = ["pull", "pull-elsewhere", "pull-home", "pull-password", "pull-prompts", "pull-some"];
    const [all, domain, project, table] = await Promise.all([
      flyte.list(),
      flyte.list(...DOMAIN),
      flyte.list(...PROJECT),
      flyte.succeed("-of", "table", "get", "secret", ...PROJECT),
    ]);
    expect(all).toEqual(
      ["api-key", "by-prompt", "empty", ...pulls]
        .map((name) => `//${name}`)
        .concat(inDomain)
        .toSorted(),
    );
    expect(domain).toEqual(inDomain);
    expect(project).toEqual(inProject);
    expect(table.stdout).toMatch(/ api-key .*regular/);
    expect(table.stdout).toMatch(/ by-file .*regular/);
  });

  it("--cluster-pool: the global scope, since one service serves every pool; refused beside --project, exit code 2", async () => {
    const pool = ["--cluster-pool", "gpu"];
    const [, mixed] = await Promise.all([
      create("by-pool", "--value", CANARY, ...pool),
      flyte.run("get", "secret", "by-pool", ...pool, ...PROJECT),
    ]);
    expect(await text("by-pool")).toBe(CANARY);
    expect(mixed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("mutually exclusive") });
    expect(await flyte.get("by-pool", ...pool)).toMatchObject({ id: { name: "by-pool" } });
    await flyte.succeed("delete", "secret", "by-pool", ...pool);
    expect(await stored("by-pool")).toBeUndefined();
  });

  it("delete secret: the one of that scope, and the image-pull secret", async () => {
    const [deleted] = await Promise.all([
      flyte.succeed("delete", "secret", "api-key", ...PROJECT),
      flyte.succeed("delete", "secret", "pull"),
    ]);
    expect(deleted.stdout).toContain("Successfully deleted secret api-key.");
    expect([await stored("api-key", "development", "p"), await stored("pull")]).toEqual([undefined, undefined]);
    expect([await text("api-key", "development"), await text("api-key")]).toEqual([
      `${CANARY} of the domain`,
      `${CANARY} of all`,
    ]);
  });

  it("get and delete secret: NOT FOUND for a name that is unknown at that scope, exit code 1", async () => {
    const missing = await Promise.all([
      flyte.run("get", "secret", "api-key", ...PROJECT),
      flyte.run("delete", "secret", "api-key", ...PROJECT),
    ]);
    for (const { exitCode, stderr } of missing) {
      expect(exitCode).toBe(1);
      expect(stderr).toContain("Requested object NOT FOUND");
      expect(stderr).toContain("secret api-key not found");
    }
  });
}
