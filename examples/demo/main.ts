import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createSecrets } from "./create-secrets.ts";
import { askForMissing, rotate, runTasks } from "./run-tasks.ts";
import { showPod } from "./show-pod.ts";
import { openStage, type Stage } from "./stage.ts";
import { showsAny } from "./values.ts";

process.exitCode = (await play()) ? 0 : 1;

/** True when everything was as it should be. */
async function play(): Promise<boolean> {
  const started = performance.now();
  const stage = await openStage();
  let server: ChildProcess | undefined;
  try {
    stage.screen.title("flyte-secrets: a secret's way to the task that uses it, on one machine");
    server = await startServer(stage);
    await createSecrets(stage);
    await runTasks(stage);
    await rotate(stage);
    await askForMissing(stage);
    await showPod(stage);
    await stopServer(stage, server);
  } finally {
    server?.kill("SIGKILL");
    await stage.close();
  }
  return stage.screen.summary((performance.now() - started) / 1_000);
}

async function startServer({ screen, commands }: Stage): Promise<ChildProcess> {
  screen.step("A server, as a process of its own");
  const line = "flyte-secrets serve --port 0";
  screen.command(line);
  const { child, firstLine } = await commands.start(line);
  screen.say(firstLine);
  const local = /^Listening on http:\/\/127\.0\.0\.1:\d+$/.test(firstLine);
  screen.check("it listens on this machine only, on a free port", local);
  return child;
}

async function stopServer({ screen, commands, values }: Stage, server: ChildProcess): Promise<void> {
  screen.step("The end");
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  const [exitCode] = await ended;
  screen.check("the server stops in order", exitCode === 0);
  const shown = showsAny(commands.printed(), values);
  screen.check("no command has printed a value, as it is, in base64 or in hex", !shown);
}
