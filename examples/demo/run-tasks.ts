import type { Outcome } from "./command.ts";
import type { Stage } from "./stage.ts";
import { digest, type Values } from "./values.ts";

const WAYS = "flyte-secrets run examples/ways-to-ask.ts";
const DECORATED = "flyte-secrets run examples/decorated.ts";
const MISSING = "flyte-secrets run examples/missing.ts missing";

/** How each task asks, the secret that it must be given, and the scope that must win. */
const TASKS: readonly { task: string; asks: string; secret: keyof Values; scope: string }[] = [
  { task: "by-string", asks: 'secrets: "my-api-key"', secret: "my-api-key", scope: "project" },
  { task: "by-variable", asks: "asEnvVar: OPENAI_API_KEY", secret: "openai-key", scope: "domain" },
  { task: "by-file", asks: "mount: /etc/flyte/secrets", secret: "db-config", scope: "global" },
  { task: "by-group", asks: "getSecret(group, key)", secret: "password", scope: "project" },
  { task: "inherits", asks: "its workflow's secret", secret: "session-key", scope: "global" },
  { task: "daily-report", asks: "@task on a method", secret: "my-api-key", scope: "project" },
];

/** Runs every example and shows what each task was given, from where, and what came of its printing it. */
export async function runTasks({ screen, commands, values }: Stage): Promise<void> {
  screen.step("Tasks, each asking in its own way, each a process with its own secrets");
  const names = new Set(TASKS.map(({ secret }) => secret));
  const digests = [...names].map((name) => `-i ${name}=${digest(values[name])}`).join(" ");
  screen.command(`${WAYS} tour --verbose`, "-i NAME=SHA256 …");
  screen.command(`${DECORATED} daily-report --verbose`, "-i sha256=…");
  const [tour, report] = await Promise.all([
    commands.run(`${WAYS} tour --verbose ${digests}`),
    commands.run(`${DECORATED} daily-report --verbose -i sha256=${digest(values["my-api-key"])}`),
  ]);

  for (const { exitCode, stderr } of [tour, report]) if (exitCode !== 0) screen.quote(stderr);
  const results: Record<string, unknown> = { ...resultOf(tour), "daily-report": resultOf(report) };
  const printed = tour.stdout + report.stdout + tour.stderr + report.stderr;
  screen.table([
    ["task", "asks by", "is given", "from", "prints", "sha256"],
    ...TASKS.map(({ task, asks, secret, scope }) => {
      const from = firstMatch(printed, `^${task}: ${secret} from (\\w+)`);
      const prints = firstMatch(printed, `^(?:${task} \\| )?${task} prints its secret: (.*)$`);
      const result = results[task];
      const same = isRecord(result) && result.sha256 === digest(values[secret]);
      const mark = screen.mark(`${task} is given ${secret}`, same && from === scope && prints === "***");
      return [task, asks, secret, from, prints, mark];
    }),
  ]);
  screen.say("Each task compares the digest itself, and fails when it is another one.");
}

/** Gives a secret a new value while the server runs. */
export async function rotate({ screen, commands, values }: Stage): Promise<void> {
  screen.step("A secret changes while the server runs");
  const value = values["my-api-key, rotated"];
  const update = "flyte-secrets update secret my-api-key -p flytesnacks -d development --from-file -";
  screen.command(update);
  const updated = await commands.run(update, value);
  screen.command(`${WAYS} by-string`, "-i sha256=…");
  const [before, after] = await Promise.all([
    commands.run(`${WAYS} by-string -i sha256=${digest(values["my-api-key"])}`),
    commands.run(`${WAYS} by-string -i sha256=${digest(value)}`),
  ]);
  screen.check("the next run is given the new value", updated.exitCode === 0 && after.exitCode === 0);
  const refused = before.exitCode === 1 && before.stderr.includes("was given another value");
  screen.check("and not the old one: a task that insists on that fails", refused);
}

/** Runs a task whose secret does not exist. */
export async function askForMissing({ screen, commands }: Stage): Promise<void> {
  screen.step("A task asks for a secret that nobody has created");
  screen.command(MISSING);
  const { exitCode, stderr } = await commands.run(MISSING);
  screen.quote(stderr);
  const told = exitCode === 1 && stderr.includes("flyte-secrets create secret not-created-yet");
  screen.check("it does not start; the error says what was looked for and what to type", told);
}

/** The result of a run, which is the last line that it prints; empty when it failed. */
function resultOf({ exitCode, stdout }: Outcome): Record<string, unknown> {
  const result: unknown = exitCode === 0 ? JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") : undefined;
  return isRecord(result) ? result : {};
}

function firstMatch(text: string, pattern: string): string {
  return new RegExp(pattern, "m").exec(text)?.[1] ?? "-";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
