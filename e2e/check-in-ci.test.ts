// `check` where it is run for somebody: by pre-commit, by GitHub Actions, and by what reads its reports.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { type GoProgram, goProgram, requireGoProgram } from "./support/go-program.ts";
import { CLI, useLocalHome } from "./support/local-home.ts";
import { type PythonPackage, pythonProgram, requirePython } from "./support/python-environment.ts";
import { describeWith } from "./support/requirement.ts";
import { type ProgramResult, runProgram } from "./support/run-program.ts";

const root = join(import.meta.dirname, "..");
const PYTHON: PythonPackage = {
  name: "pre-commit",
  version: "4.7.0",
  companions: ["check-jsonschema==0.39.0", "junitparser==5.0.3", "sarif-pydantic==0.6.2"],
  program: "pre-commit",
};
const ACTIONLINT: GoProgram = {
  name: "actionlint",
  path: "github.com/rhysd/actionlint/cmd/actionlint",
  version: "v1.7.12",
};

const home = useLocalHome();
const NEEDS = "project: shop\ndomain: production\nsecrets:\n  - key: stripe-key\n";
const python = (program: string) => pythonProgram(PYTHON, program);

/** A directory of the home with the project file, and one with the command for PATH. */
let project: string;
let env: Record<string, string>;
beforeEach(async () => {
  project = join(home.path, "project");
  const bin = join(home.path, "bin");
  for (const directory of [project, bin]) mkdirSync(directory);
  writeFileSync(join(bin, "flyte-secrets"), `#!/bin/sh\nexec "${process.execPath}" "${CLI}" "$@"\n`);
  chmodSync(join(bin, "flyte-secrets"), 0o755);
  writeFileSync(join(project, "flyte-secrets.yaml"), NEEDS);
  env = home.environment({ PATH: `${bin}:${process.env.PATH}` });
  await home.run(["create", "secret", "another", "--from-file", "-"]);
});

function git(directory: string, ...args: string[]): void {
  const author = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  execFileSync("git", [...author, ...args], { cwd: directory, env, stdio: "pipe" });
}

describeWith(requirePython(PYTHON), "check, as others run and read it", () => {
  test("pre-commit runs it on the project file that is committed", async () => {
    const hooks = join(home.path, "hooks");
    mkdirSync(hooks);
    copyFileSync(join(root, ".pre-commit-hooks.yaml"), join(hooks, ".pre-commit-hooks.yaml"));
    for (const directory of [hooks, project]) git(directory, "init", "--quiet");
    git(hooks, "add", ".");
    git(hooks, "commit", "--quiet", "-m", "Hooks");
    git(hooks, "tag", "v0.1.0");
    const [, config = ""] =
      /## Before each commit.*?```yaml\n(.*?)```/s.exec(readFileSync(join(root, "docs/check.md"), "utf8")) ?? [];
    writeFileSync(join(project, ".pre-commit-config.yaml"), config.replace("../flyte-secrets", "../hooks"));
    git(project, "add", ".");
    const run = () => runProgram(python("pre-commit"), ["run", "--all-files"], { cwd: project, env });
    const failed = await run();
    expect([failed.exitCode, failed.stdout]).toEqual([
      1,
      expect.stringMatching(/Failed[\s\S]*stripe-key[\s\S]*missing/),
    ]);
    await home.create("-d", "production", "-p", "shop");
    expect(await run()).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Passed") });
    expect(
      await runProgram(python("pre-commit"), ["validate-manifest", join(root, ".pre-commit-hooks.yaml")]),
    ).toMatchObject({ exitCode: 0 });
  });

  test("JUnit's and SARIF's readers take its reports", async () => {
    const report = async (format: string) => {
      writeFileSync(join(home.path, format), (await home.run(["check", "-o", format], { cwd: project })).stdout);
      return join(home.path, format);
    };
    const read = async (script: string, file: string) =>
      (await runProgram(python("python"), ["-c", script, file])) satisfies ProgramResult;
    const junit = `import sys, junitparser
suites = junitparser.JUnitXml.fromfile(sys.argv[1])
for suite in suites:
    for case in suite: print(suite.name, suite.tests, suite.failures, case.name, [type(r).__name__ for r in case.result])`;
    expect(await read(junit, await report("junit"))).toMatchObject({
      stdout: "flyte-secrets.yaml 1 1 project: stripe-key ['Failure']\n",
    });
    const sarif = `import sys, sarif_pydantic
log = sarif_pydantic.Sarif.model_validate_json(open(sys.argv[1]).read())
for result in log.runs[0].results: print(result.rule_id, result.level.value, result.locations[0].physical_location.artifact_location.uri)`;
    expect(await read(sarif, await report("sarif"))).toMatchObject({ stdout: "missing error flyte-secrets.yaml\n" });
  });

  test("the schema of the project file accepts what the command does, and no key that it refuses", async () => {
    const schema = join(root, "packages/cli/schema/flyte-secrets.json");
    const accepts = async (text: string) => {
      const file = join(home.path, "flyte-secrets.yaml");
      writeFileSync(file, text);
      const validate = await runProgram(python("check-jsonschema"), ["--schemafile", schema, file]);
      const own = await home.run(["exec", "--from", file, "--", "true"]);
      return [validate.exitCode === 0, !own.stderr.startsWith(`error: ${file}`)];
    };
    const [, printed = ""] = /```yaml\n(.*?)```/s.exec(readFileSync(join(root, "docs/project-file.md"), "utf8")) ?? [];
    for (const good of [printed, NEEDS, "secrets: []"]) expect(await accepts(good), good).toEqual([true, true]);
    const bad = [
      NEEDS.replace("key:", "name:"),
      NEEDS.replace("shop", "Shop"),
      `${NEEDS}    value: x\n`,
      `${NEEDS}    variable: lower\n`,
      `${NEEDS}    optional: "yes"\n`,
      `${NEEDS}    as: env\n`,
      `${NEEDS}environments: { Prod: {} }\n`,
      "project: shop",
      "secrets: [{ as: file }]",
    ];
    for (const text of bad) expect(await accepts(text), text).toEqual([false, false]);
    const checked = ["--check-metaschema", schema];
    expect(await runProgram(python("check-jsonschema"), checked)).toMatchObject({ exitCode: 0 });
  });

  test("the action is one by GitHub's schema", async () => {
    const args = ["--builtin-schema", "vendor.github-actions", join(root, "action.yml")];
    expect(await runProgram(python("check-jsonschema"), args)).toMatchObject({ exitCode: 0 });
  });
});

describeWith(requireGoProgram(ACTIONLINT), "the action", () => {
  const action = parse(readFileSync(join(root, "action.yml"), "utf8"));

  test("has inputs that actionlint knows in a workflow, and no others", async () => {
    copyFileSync(join(root, "action.yml"), join(project, "action.yml"));
    const workflows = join(project, ".github/workflows");
    mkdirSync(workflows, { recursive: true });
    git(project, "init", "--quiet");
    const lint = (input: string) => {
      const step = `      - uses: ./\n        with: { ${input}: x }\n`;
      const job = `jobs:\n  check:\n    runs-on: ubuntu-latest\n    steps:\n${step}`;
      writeFileSync(join(workflows, "check.yaml"), `on: push\n${job}`);
      return runProgram(goProgram(ACTIONLINT), [], { cwd: project, env });
    };
    for (const input of Object.keys(action.inputs)) expect((await lint(input)).exitCode, input).toBe(0);
    expect((await lint("file")).exitCode).toBe(1);
  });

  test("annotates what is missing, and takes its inputs for words alone", async () => {
    const run = (inputs: Record<string, string>) => {
      const given = Object.fromEntries(
        Object.keys(action.inputs).map((name) => [name.toUpperCase(), inputs[name] ?? ""]),
      );
      const script = ["--noprofile", "--norc", "-eo", "pipefail", "-c", action.runs.steps[0].run];
      return runProgram("bash", script, { cwd: project, env: { ...env, ...given } });
    };
    const missing =
      "::error file=flyte-secrets.yaml,line=1,title=project%3A stripe-key::it was not found for project shop, domain ";
    const failed = await run({});
    expect([failed.exitCode, failed.stdout]).toEqual([1, expect.stringContaining(`${missing}production. `)]);
    expect((await run({ domain: "staging" })).stdout).toContain(`${missing}staging. `);
    const hostile = await run({ domain: "$(touch hacked)", files: "flyte-secrets.yaml;touch hacked *" });
    expect(hostile.exitCode).not.toBe(0);
    expect(execFileSync("ls", [project], { encoding: "utf8" })).toBe("flyte-secrets.yaml\n");
    await home.create("-d", "production", "-p", "shop");
    expect(await run({ files: "flyte-secrets.yaml", arguments: "--require narrowest-scope" })).toMatchObject({
      exitCode: 0,
      stdout: "",
    });
  });
});
