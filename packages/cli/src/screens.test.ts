import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { CONTROL_C, type TerminalStep } from "@flyte-secrets/testkit/terminal";
import { expect, it } from "vitest";
import { runCli } from "./testing/run-cli.ts";
import { runOnTerminal } from "./testing/run-on-terminal.ts";
import { useCliHome } from "./testing/use-cli-home.ts";

const at = useCliHome();
const SCREENS = join(import.meta.dirname, "../testdata/screens");
const TASKS = join(import.meta.dirname, "../testdata/run/greet.mjs");

const PULL = '{"auths":{"ghcr.io":{"auth":"dTpw"}}}';
const LONG = "a-secret-whose-name-goes-on-and-on-for-longer-than-a-terminal-has-room";

// To be looked at when they change: npx vitest run packages/cli/src/screens.test.ts -u, then git diff.

/** The commands used most, each on a store with a few secrets. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  get: ["get", "secret"],
  "get-wide": ["get", "secret", "-o", "wide"],
  "get-missing": ["get", "secret", "db-password"],
  create: ["create", "secret", "new-key", "-p", "shpo", "-d", "prod", "--from-file", "value"],
  "create-again": ["create", "secret", "api-key", "--from-file", "value"],
  update: ["update", "secret", "api-key", "--from-file", "value"],
  delete: ["delete", "secret", "api-key", "--yes"],
  scopes: ["scopes"],
  run: ["run", TASKS, "greet"],
  exec: ["exec", "-v", "-s", "api-key", "--", "sh", "-c", 'echo "has $API_KEY"; echo "has $API_KEY" >&2'],
  explain: ["explain", "api-key"],
  doctor: ["doctor"],
  serve: ["serve", "--port", "0"],
};

/** A server is stopped once it has said all. */
const STEPS: Readonly<Record<string, readonly TerminalStep[]>> = {
  serve: [{ after: "Stop: Ctrl-C\r\n", type: CONTROL_C }],
};

async function prepare(): Promise<void> {
  await at.keep({
    "api-key": "sk-abc123",
    "dev/hf-token": "x",
    "prod/shop/db-password": "x",
    [`prod/shop/${LONG}`]: "x",
  });
  await at.keep({ ghcr: PULL }, "image_pull");
  writeFileSync(join(at.home, "value"), "y");
}

/** What differs from run to run, in as many characters: columns stay as they are. */
function steady(screen: string): string {
  return screen
    .replaceAll(at.home, "/home/somebody".padEnd(at.home.length, "~"))
    .replaceAll(join(import.meta.dirname, ".."), "CLI")
    .replaceAll(/\d{4}-\d\d-\d\d([ T])\d\d:\d\d(:\d\d\.\d{3})?Z/g, (time) => time.replaceAll(/\d/g, "0"))
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:00000")
    .replaceAll(`Node ${process.versions.node}`, "Node 24.0.0")
    .replaceAll("\r\n", "\n")
    .replaceAll("\u001b", "␛");
}

it.each(Object.entries(COMMANDS))("the screen of %s", { timeout: 300_000 }, async (name, args) => {
  const steps = STEPS[name] ?? [];
  const onTerminal = async (columns: number, env: Record<string, string>) => {
    await prepare();
    const { screen } = await runOnTerminal({ args, env: { ...at.env, ...env }, cwd: at.home, columns }, steps);
    await at.renew();
    return screen;
  };
  const colored = await onTerminal(80, { TERM: "xterm-256color" });
  const plain = stripVTControlCharacters(colored);
  const wide = await onTerminal(120, { TERM: "dumb" });
  await prepare();
  const piped = steps.length > 0 ? undefined : await runCli({ args, env: at.env, cwd: at.home });
  expect(wide).not.toContain("\u001b[");
  const parts = [
    ["80 columns, in colour", colored],
    ["80 columns, without colour", plain],
    ["120 columns, TERM=dumb", wide],
    ["piped: standard output", piped?.stdout ?? ""],
    ["piped: standard error", piped?.stderr ?? ""],
  ];
  const page = parts.map(([title, screen = ""]) => `==== ${title}\n${steady(screen)}`).join("\n");
  await expect(`$ flyte-secrets ${steady(args.join(" "))}\n\n${page}`).toMatchFileSnapshot(
    join(SCREENS, `${name}.txt`),
  );
});

it("NO_COLOR takes the colours away, and nothing else; FORCE_COLOR puts them into a pipe", async () => {
  await prepare();
  const args = ["scopes"];
  const shown = async (env: Record<string, string>) =>
    (await runOnTerminal({ args, env: { ...at.env, TERM: "xterm", ...env }, cwd: at.home, columns: 80 }, [])).screen;
  const colored = await shown({});
  expect(colored).toContain("\u001b[1m");
  expect(await shown({ NO_COLOR: "1" })).toBe(stripVTControlCharacters(colored));
  const piped = await runCli({ args, env: { ...at.env, FORCE_COLOR: "1" }, cwd: at.home });
  expect(piped.stdout).toBe(colored.replaceAll("\r\n", "\n"));
});
