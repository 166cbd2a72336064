import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  encodeSecretId,
  imagePullSecretName,
  kubernetesSecretName,
  managedLabels,
  type SecretId,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { callCli } from "../testing/call-cli.ts";
import { runWithFullDisk } from "../testing/run-cli.ts";
import { runOnTerminal } from "../testing/run-on-terminal.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();
const CANARY = "canary-9d41c7";

/** A Secret as Flyte's own service writes it. */
function managedSecret(id: SecretId, value: string): object {
  const data = { [encodeSecretId(id)]: Buffer.from(value).toString("base64") };
  return { kind: "Secret", metadata: { name: kubernetesSecretName(id), labels: managedLabels(id) }, data };
}

describe("export", () => {
  it("writes exactly one scope with its values to a new file of this user alone", async () => {
    await at.keep({ GLOBAL: "g", "dev/DOMAIN": "d", "dev/shop/PROJECT": CANARY, "dev/shop/OTHER": "o'clock" });
    expect(await at.call("export", "-p", "shop", "-d", "dev", "--with-values", "--to-file", "shop.env")).toEqual(
      success("Wrote 2 secrets to shop.env.\n"),
    );
    const file = join(at.home, "shop.env");
    expect(readFileSync(file, "utf8")).toBe(`OTHER="o'clock"\nPROJECT='${CANARY}'\n`);
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect(await at.call("export", "--with-values", "--to-file", "shop.env")).toEqual(
      failure(1, "--to-file shop.env cannot be written: it exists already"),
    );
    expect(JSON.parse((await at.call("export", "--with-values")).stdout)).toEqual({ GLOBAL: "g" });
    expect(JSON.parse((await at.call("export", "--with-values", "-d", "dev")).stdout)).toEqual({ DOMAIN: "d" });
  });

  it.each([
    ["short", "a.json"],
    ["that leaves no room for another beside it", `${"a".repeat(245)}.json`],
  ])("leaves nothing behind when the disk takes no more, for a file name %s", async (_, name) => {
    const value = "x".repeat(600_000);
    await at.keep({ KEY: value });
    const args = ["export", "--with-values", "--to-file", name];
    expect(await runWithFullDisk({ args, env: at.env, cwd: at.home }, 200)).toEqual(
      failure(1, `--to-file ${name} cannot be written: it would be larger than a file of this user may be`),
    );
    expect(readdirSync(at.home)).toEqual(["store"]);
    expect(await at.call(...args)).toEqual(success(`Wrote 1 secret to ${name}.\n`));
    expect(JSON.parse(readFileSync(join(at.home, name), "utf8"))).toEqual({ KEY: value });
    expect(readdirSync(at.home)).toHaveLength(2);
  });

  it("writes a .env file for one reader alone when told to, and says so when the file is none", async () => {
    await at.keep({ "api-key": "it's $5" });
    expect(await at.call("export", "--with-values", "--format", "env")).toEqual(
      failure(
        1,
        "the value of api-key cannot be written in .env so that all readers take it alike; " +
          "use --for sh or --for compose or --for dotenv or --format json",
      ),
    );
    expect(await at.call("export", "--with-values", "--format", "env", "--for", "sh")).toEqual(
      success("# flyte-secrets: api-key\nAPI_KEY='it'\\''s $5'\n"),
    );
    expect(await at.call("export", "--with-values", "--for", "sh")).toEqual(
      failure(2, "--for is about .env files: use it with --format env, or --to-file FILE.env"),
    );
  });

  it("writes names alone without being told otherwise, also to a terminal", async () => {
    await at.keep({ KEY: CANARY });
    expect(await at.call("export", "--format", "env")).toEqual(success("# KEY=\n"));
    expect(await at.call("export")).toEqual(success('{\n  "KEY": null\n}\n'));
    const { exitCode, screen } = await runOnTerminal({ args: ["export", "--format", "env"], env: at.env }, []);
    expect([exitCode, screen]).toEqual([0, "# KEY=\r\n"]);
  });

  it("never writes values to a terminal", async () => {
    await at.keep({ KEY: CANARY });
    const { exitCode, screen } = await runOnTerminal(
      { args: ["export", "--with-values"], env: { ...at.env, NO_COLOR: "1" } },
      [],
    );
    expect([exitCode, screen]).toEqual([
      2,
      "error: values are not written to a terminal; use --to-file FILE or a pipe\r\n",
    ]);
  });

  it("writes all scopes, each secret with its own, as import reads them", async () => {
    const all = { a: CANARY, "dev/a": Uint8Array.of(0, 255), "dev/shop/a": "", "prod/shop/b": "two\nlines" };
    await at.keep(all);
    await at.keep({ pull: '{"auths":{"ghcr.io":{"auth":"dTpw"}}}' }, "image_pull");
    const names = await at.call("export", "--all-scopes");
    expect(names.stdout).not.toContain(CANARY);
    expect(JSON.parse(names.stdout)).toContainEqual({ name: "b", project: "shop", domain: "prod" });
    for (const format of ["json", "kubernetes"]) {
      const exported = await at.call("export", "--all-scopes", "--with-values", "--format", format);
      rmSync(at.store, { recursive: true });
      const imported = await callCli({
        args: ["import", "-", "--format", format],
        env: at.env,
        input: exported.stdout,
      });
      expect(imported).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("5 secrets (4 scopes)\n") });
      expect(await at.call("export", "--all-scopes", "--with-values", "--format", format)).toEqual(exported);
    }
    const bytes = JSON.parse((await at.call("export", "--with-values", "-d", "dev")).stdout);
    expect(bytes).toEqual({ a: { base64: "AP8=" } });
    expect(await at.call("export", "--all-scopes", "--format", "env")).toEqual(
      failure(2, "a .env file has no scopes; use --format json or kubernetes"),
    );
    expect(await at.call("export", "--all-scopes", "-d", "dev")).toEqual(
      failure(2, "--all-scopes cannot be used with --domain"),
    );
  });

  it("says that there is no store instead of making one", async () => {
    expect(await at.call("export")).toEqual(
      failure(1, `no store in ${at.store} yet; flyte-secrets create secret NAME makes one`),
    );
    expect(existsSync(at.store)).toBe(false);
  });
});

describe("import", () => {
  it("creates a file's secrets at one scope, refuses those that are there, and replaces them when told to", async () => {
    await using _server = await at.serve();
    writeFileSync(join(at.home, ".env"), `A=${CANARY}\nB="two\nlines"\n`);
    const scope = ["-p", "shop", "-d", "dev"];
    const isNew = "note: new scope: project shop, domain dev has no secrets yet\n";
    expect(await at.call("import", ".env", ...scope, "--dry-run")).toEqual({
      ...success(
        "Would create secret A\nWould create secret B\n2 secrets (project shop, domain dev), nothing written\n",
      ),
      stderr: isNew,
    });
    expect(await at.kept("A", "dev", "shop")).toBeUndefined();
    expect(await at.call("import", ".env", ...scope)).toEqual({
      ...success("Created secret A\nCreated secret B\n2 secrets (project shop, domain dev)\n"),
      stderr: isNew,
    });
    expect([await at.kept("A", "dev", "shop"), await at.kept("B", "dev", "shop")]).toEqual([CANARY, "two\nlines"]);
    writeFileSync(join(at.home, "more.json"), '{"B":"new","C":"c"}');
    expect(await at.call("import", "more.json", ...scope)).toEqual(
      failure(
        1,
        "already there: B. Nothing was written; --skip-existing leaves them as they are, --overwrite gives them the file's values",
      ),
    );
    expect(await at.kept("C", "dev", "shop")).toBeUndefined();
    expect(await at.call("import", "more.json", ...scope, "--overwrite")).toEqual(
      success("Updated secret B\nCreated secret C\n2 secrets (project shop, domain dev): 1 created, 1 updated\n"),
    );
    expect(await at.kept("B", "dev", "shop")).toBe("new");
    expect(await at.kept("B")).toBeUndefined();
  });

  it.each([
    [
      "a name that no secret can have",
      "tls.yaml",
      "kind: Secret\nstringData: {tls.crt: x}",
      [],
      1,
      /^tls.yaml: tls.crt: name: must be/,
    ],
    ["an unreadable format", "broken.json", `{"a": ${CANARY}}`, [], 1, /^broken.json: the file is not JSON$/],
    [
      "bytes that are no text",
      "bytes.env",
      Buffer.from([0xff]),
      [],
      1,
      /^bytes.env: not text: expected UTF-8, or UTF-16 with a byte order mark$/,
    ],
    [
      "a file that does not tell its format",
      "secrets",
      "A=1",
      [],
      2,
      /^the file's name does not tell its format: say it with --format env, json or kubernetes$/,
    ],
    [
      "an image-pull secret at a narrower scope",
      "pull.json",
      '{"a":{"type":"image_pull","text":"{}"}}',
      ["-d", "dev"],
      1,
      /^pull.json: a: an image-pull secret has neither project nor domain/,
    ],
  ])("refuses %s before it asks any server", async (_, name, content, options, exitCode, message) => {
    writeFileSync(join(at.home, name), content);
    const result = await at.call("import", name, ...options);
    expect([result.exitCode, result.stdout]).toEqual([exitCode, ""]);
    expect(result.stderr.replace(/^error: (.*)\n$/, "$1")).toMatch(message);
    expect(result.stderr).not.toContain(CANARY);
  });

  it("reads UTF-16 by its byte order mark, as PowerShell writes it", async () => {
    await using _server = await at.serve();
    const manifest = "kind: Secret\r\nstringData: {b: two}\r\n";
    writeFileSync(join(at.home, "a.env"), Buffer.from("\ufeffA='é'\r\n", "utf16le"));
    writeFileSync(join(at.home, "b.yaml"), Buffer.from(`\ufeff${manifest}`, "utf16le").swap16());
    expect(await at.call("import", "a.env")).toMatchObject({ exitCode: 0 });
    expect(await at.call("import", "b.yaml")).toMatchObject({ exitCode: 0 });
    expect([await at.kept("A"), await at.kept("b")]).toEqual(["é", "two"]);
  });

  it("creates each of Flyte's managed Secrets at its own scope, in the service's organization", async () => {
    await using _server = await at.serve();
    const image = '{"auths":{"ghcr.io":{"auth":"dTpw"}}}';
    const dump = [
      managedSecret({ org: "acme", domain: "dev", project: "shop", name: "api-key" }, CANARY),
      managedSecret({ org: "acme", domain: "dev", project: "", name: "api-key" }, "domain"),
      managedSecret({ org: "acme", domain: "", project: "", name: "pull" }, image),
      {
        kind: "Secret",
        type: "kubernetes.io/dockerconfigjson",
        metadata: { name: imagePullSecretName({ org: "acme", domain: "", project: "", name: "pull" }) },
        data: { ".dockerconfigjson": Buffer.from(image).toString("base64") },
      },
    ];
    writeFileSync(join(at.home, "dump.yaml"), stringify({ apiVersion: "v1", kind: "List", items: dump }));
    expect(await at.call("import", "dump.yaml", "-d", "dev")).toEqual(
      failure(
        2,
        "dump.yaml: api-key: the file says where it belongs (project shop, domain dev); leave out --project, --domain and --cluster-pool",
      ),
    );
    expect(await at.call("import", "dump.yaml", "--dry-run")).toEqual(
      success(
        "Would create secret api-key (project shop, domain dev)\nWould create secret api-key (domain dev)\n" +
          "Would create secret pull (global scope)\n3 secrets (3 scopes), nothing written\n",
      ),
    );
    expect(await at.call("import", "dump.yaml")).toEqual(
      success(
        "Created secret api-key (project shop, domain dev)\nCreated secret api-key (domain dev)\n" +
          "Created secret pull (global scope)\n3 secrets (3 scopes)\n",
      ),
    );
    expect([await at.kept("api-key", "dev", "shop"), await at.kept("api-key", "dev"), await at.kept("pull")]).toEqual([
      CANARY,
      "domain",
      image,
    ]);
    const pull = JSON.parse((await at.call("get", "secret", "pull", "-o", "json")).stdout);
    expect(pull.secretMetadata.type).toBe("SECRET_TYPE_IMAGE_PULL_SECRET");
    expect(await at.call("import", "dump.yaml")).toEqual(
      failure(
        1,
        "already there: api-key (project shop, domain dev), api-key (domain dev), pull (global scope). " +
          "Nothing was written; --skip-existing leaves them as they are, --overwrite gives them the file's values",
      ),
    );
  });

  it("reads what export wrote, bytes and image-pull secrets included", async () => {
    await at.keep({ text: CANARY, bytes: Uint8Array.of(0, 255, 10) });
    await at.keep({ pull: '{"auths":{"ghcr.io":{"auth":"dTpw"}}}' }, "image_pull");
    for (const format of ["json", "kubernetes"]) {
      const exported = await at.call("export", "--with-values", "--format", format);
      rmSync(at.store, { recursive: true });
      await using _server = await at.serve();
      const args = ["import", "-", "--format", format];
      expect(await callCli({ args, env: at.env, input: exported.stdout })).toMatchObject({
        exitCode: 0,
      });
      expect(await at.call("export", "--with-values", "--format", format)).toEqual(exported);
    }
  });

  it("reads the .env file that export wrote, names that are no variables included", async () => {
    await at.keep({ "api-key": CANARY, lower_case: "it's\ntwo lines" });
    const exported = await at.call("export", "--with-values", "--format", "env");
    rmSync(at.store, { recursive: true });
    await using _server = await at.serve();
    const result = await callCli({ args: ["import", "-", "--format", "env"], env: at.env, input: exported.stdout });
    expect(result).toMatchObject({ exitCode: 0 });
    expect(await at.kept("api-key")).toBe(CANARY);
    expect(await at.call("export", "--with-values", "--format", "env")).toEqual(exported);
  });
});
