import { chmodSync, chownSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { runCli } from "../testing/run-cli.ts";
import { failure, success, useCliHome } from "../testing/use-cli-home.ts";

const at = useCliHome();

beforeEach(async () => {
  await at.keep({
    "dev/shop/api-key": "narrow",
    "api-key": "broad",
    "prod/shop/api-key": "of-prod",
    "cert.pem": "PEM",
  });
});

const write = (text: string, name = "flyte-secrets.yaml") => {
  const path = join(at.home, name);
  writeFileSync(path, text);
  return path;
};
/** What a shell prints in a program's place. */
const exec = (script: string, options: readonly string[] = [], call: { cwd?: string; env?: object } = {}) =>
  runCli({
    args: ["exec", ...options, "--no-mask", "--", "sh", "-c", script],
    cwd: at.home,
    ...call,
    env: { ...at.env, ...call.env },
  });

const NEEDS = `
project: shop
domain: dev
secrets:
  - key: api-key
  - { key: cert.pem, as: file, variable: CERT }
  - { key: sentry-dsn, optional: true }
environments:
  production: { domain: prod }
`;
const NOTES =
  "note: it gets the secrets of flyte-secrets.yaml\n" +
  'note: "sentry-dsn" is optional, was not found, and is left out\n';
const SHOW = 'echo "$API_KEY $(cat "$CERT") [$SENTRY_DSN]"';

describe("exec without options", () => {
  it("gives what the project file says, in its scope or that of an environment, and says what is left out", async () => {
    write(NEEDS);
    expect(await exec(SHOW)).toEqual({ exitCode: 0, stdout: "narrow PEM []\n", stderr: NOTES });
    expect((await exec(SHOW, ["--environment", "production"])).stdout).toBe("of-prod PEM []\n");
    expect((await exec(SHOW, ["-d", "other"])).stdout).toBe("broad PEM []\n");
    expect((await exec(SHOW, [], { env: { FLYTE_TASK_DOMAIN: "prod" } })).stdout).toBe("of-prod PEM []\n");
  });

  it("finds the file above, up to the root of the project, and no further", async () => {
    write(NEEDS);
    const below = join(at.home, "a/b");
    mkdirSync(below, { recursive: true });
    const missing =
      "say which secrets the program gets: -s KEY in a variable, --file KEY in a file, --from FILE as a pod asks; or " +
      "keep a flyte-secrets.yaml in the project";
    expect(await exec(SHOW, [], { cwd: below })).toEqual(failure(2, missing));
    mkdirSync(join(at.home, ".git"));
    const found = await exec(SHOW, [], { cwd: below });
    expect([found.stdout, found.stderr]).toEqual(["narrow PEM []\n", NOTES.replace("of fl", "of ../../fl")]);
    write("secrets: []", "a/flyte-secrets.yaml");
    expect((await exec('echo "[$API_KEY]"', [], { cwd: below })).stdout).toBe("[]\n");
  });

  it("is refused where a secret that is no optional one is missing", async () => {
    write("secrets: [{ key: api-kez }]");
    const { exitCode, stderr } = await exec("echo started");
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('error: secret "api-kez" was not found\n')]);
  });

  it("is refused where an optional one is there and can't be given", async () => {
    await at.keep({ bytes: Uint8Array.of(255, 0) });
    write("secrets: [{ key: bytes, optional: true }]");
    const { exitCode, stderr } = await exec("echo started");
    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/bytes/)]);
  });

  it("leaves out a file that others may write, unless it is named", async () => {
    const path = write(NEEDS);
    chmodSync(path, 0o666);
    const { exitCode, stderr } = await exec(SHOW);
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining(
        `warning: ${path} is left out: other users may write it (mode 0666). To use it all the same, name it: ` +
          "--from flyte-secrets.yaml\n",
      ),
    ]);
    expect((await exec(SHOW, ["--from", "flyte-secrets.yaml"])).stdout).toBe("narrow PEM []\n");
  });

  // Only root can give a file away.
  it.runIf(process.geteuid?.() === 0)(
    "leaves out another user's, as a checkout of CI is, unless it is named",
    async () => {
      chownSync(write(NEEDS), 65534, 65534);
      expect((await exec(SHOW)).stderr).toContain("is left out: it belongs to user 65534. To use it all the same");
      expect((await exec(SHOW, ["--from", "./flyte-secrets.yaml"])).stdout).toBe("narrow PEM []\n");
    },
  );
});

describe("other commands", () => {
  const TASK =
    'import { task } from "@flyte-secrets/sdk";\nexport const t = task({ name: "t", secrets: "api-key" }, async () => process.env.API_KEY);\n';

  it("have the scope of the project file, and the options count more", async () => {
    write(NEEDS);
    const explain = async (...options: string[]) => (await at.call("explain", "api-key", ...options)).stdout;
    expect(await explain()).toContain("Embedded serves it from project shop, domain dev");
    expect(await explain("--environment", "production")).toContain("from project shop, domain prod");
    expect(await explain("-p", "other")).toContain("from global scope");
  });

  it("say which part of a left-out file can be given", async () => {
    chmodSync(write(NEEDS), 0o666);
    expect((await at.call("explain", "api-key")).stderr).toContain(
      "is left out: other users may write it (mode 0666). Its project and domain can be given: -p PROJECT -d DOMAIN\n",
    );
  });

  it("know no environment without a file", async () => {
    expect(await at.call("explain", "api-key", "--environment", "prod")).toEqual(
      failure(2, "--environment names one of flyte-secrets.yaml, and there is none here or above"),
    );
  });

  it("refuse a broken file with its line", async () => {
    write("secrets:\n  - name: api-key\n");
    expect((await at.call("explain", "api-key")).stderr).toMatch(
      /^error: flyte-secrets.yaml:2: secrets\[0\] has an unknown key/,
    );
    expect(await at.call("exec", "--from", "flyte-secrets.yaml", "--", "true")).toMatchObject({ exitCode: 1 });
  });

  it("init writes the file by the tasks, which exec and run then use", async () => {
    writeFileSync(
      join(at.home, "tasks.mjs"),
      TASK.replace('"api-key"', '["api-key", new Secret({ key: "cert.pem", mount: "/etc/flyte/secrets" })]')
        .replace("{ task }", "{ Secret, task }")
        .replace("@flyte-secrets/sdk", import.meta.resolve("@flyte-secrets/sdk")),
    );
    const written = "flyte-secrets.yaml written. It says which secrets are needed; --help shows what uses it.\n";
    expect(await runCli({ args: ["init", "tasks.mjs", "-p", "shop", "-d", "dev"], cwd: at.home, env: at.env })).toEqual(
      success(written),
    );
    const text = readFileSync(join(at.home, "flyte-secrets.yaml"), "utf8");
    expect(text.split("\n").slice(1).join("\n")).toBe(
      "project: shop\ndomain: dev\nsecrets:\n  - key: api-key\n    variable: API_KEY\n  - key: cert.pem\n    as: file\n",
    );
    expect((await exec('echo "$API_KEY"; cat "$FLYTE_SECRETS_DEFAULT_DIR/cert.pem"')).stdout).toBe("narrow\nPEM");
    expect((await runCli({ args: ["run", "--no-mask", "tasks.mjs", "t"], cwd: at.home, env: at.env })).stdout).toBe(
      '"narrow"\n',
    );
    expect(await at.call("init")).toEqual(failure(2, "flyte-secrets.yaml exists already; --force replaces it"));
    expect(readFileSync(join(at.home, "flyte-secrets.yaml"), "utf8")).toBe(text);
    expect(await at.call("init", "--force")).toEqual(success(written));
    expect(readFileSync(join(at.home, "flyte-secrets.yaml"), "utf8")).toMatch(/^secrets: \[\]$/m);
  });
});
