import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import vectors from "../../../testkit/testdata/vectors/names.json" with { type: "json" };
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

describe("name", () => {
  it("prints what a Secret is found by, as a person reads it", async () => {
    expect(await at.call("name", "api-key", "-p", "shop", "-d", "development")).toEqual(
      success(`name      8de38bbc228c3508ad641656f516642f
type      Opaque
labels    app.flyte.org/managed=true
          app.flyte.org/domain=development
          app.flyte.org/project=shop
data key  u__org__flyte__domain__development__project__shop__key__api-key
`),
    );
  });

  it("prints one object for programs, in JSON and in YAML, and the name alone for a shell", async () => {
    const form = {
      name: "03965f1d81e6d0c5e457fdad8657f8aa",
      labels: { "app.flyte.org/managed": "true" },
      dataKey: "u__org__flyte__domain____project____key__api-key",
      type: "Opaque",
    };
    const [json, yaml, name] = await Promise.all(
      ["json", "yaml", "name"].map(async (format) => await at.call("name", "api-key", "-o", format)),
    );
    expect(JSON.parse(json?.stdout ?? "")).toEqual(form);
    expect(parseAllDocuments(yaml?.stdout ?? "").map((document) => document.toJS())).toEqual([form]);
    expect(name).toEqual(success(`${form.name}\n`));
  });

  it.each(vectors.identifiers)("names $encodedId as Flyte does", async ({
    org,
    domain,
    project,
    name,
    ...expected
  }) => {
    const scope = [...(project ? ["-p", project] : []), ...(domain ? ["-d", domain] : [])];
    const { exitCode, stdout, stderr } = await at.call("name", name, ...scope, "--org", org, "-o", "json");
    // Flyte's own vectors have names and scopes that no secret is created with: they are refused, never printed
    // otherwise.
    if (exitCode === 0) {
      expect(JSON.parse(stdout)).toMatchObject({ name: expected.kubernetesName, dataKey: expected.encodedId });
    } else expect(stderr).toMatch(/^error: (?:name|domain|project|organization): must be /);
  });

  it("prints both Secrets of an image-pull secret", async () => {
    const { stdout } = await at.call("name", "ghcr", "--type", "image_pull", "-o", "json");
    expect(JSON.parse(stdout)).toEqual([
      expect.objectContaining({
        type: "Opaque",
        dataKey: "u__org__flyte__domain____project____key__ghcr",
        labels: { "app.flyte.org/managed": "true", "app.flyte.org/secret-type": "image-pull-secret" },
      }),
      expect.objectContaining({
        name: expect.stringMatching(/^img-pull-[0-9a-f]{16}$/),
        type: "kubernetes.io/dockerconfigjson",
        dataKey: ".dockerconfigjson",
        labels: expect.objectContaining({ "union.ai/secret-name": "ghcr" }),
      }),
    ]);
  });

  it.each([
    [["api.key"], 1, 'name: must be one or more of a-z, A-Z, 0-9, "-" and "_"'],
    [["api-key", "-p", "shop"], 1, 'project-scoped secrets must also specify a domain, got project="shop" domain=""'],
    [["ghcr", "--type", "image_pull", "-p", "shop", "-d", "dev"], 2, "--type image_pull cannot be used with --project"],
    [["ghcr", "--type", "image_pull", "-d", "dev"], 2, "--type image_pull cannot be used with --domain"],
  ])("refuses %j, which no secret can have", async (args, exitCode, line) => {
    expect(await at.call("name", ...args)).toEqual(failure(exitCode, line));
  });

  it("takes options before its own name, but not a format that it has no use for", async () => {
    expect(await at.call("-d", "dev", "-of", "json", "name", "api-key")).toMatchObject({ exitCode: 0 });
    expect(await at.call("-o", "table", "name", "api-key")).toEqual(
      failure(2, "--output-format of name is one of text, json, yaml, name"),
    );
  });

  it("refuses an id that is longer than a data key", async () => {
    const { exitCode, stderr } = await at.call("name", "k".repeat(300));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining("this store takes at most 253")]);
  });

  it("needs no service, no store and no file", async () => {
    at.env.FLYTE_ENDPOINT = "dns:///127.0.0.1:1";
    expect((await at.call("name", "api-key", "-o", "name")).exitCode).toBe(0);
    expect(() => readFileSync(join(at.store, "store.db"))).toThrow("ENOENT");
  });
});
