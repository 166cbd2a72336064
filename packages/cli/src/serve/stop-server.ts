import { setTimeout as delay } from "node:timers/promises";
import { SecretsError } from "@flyte-secrets/core";
import { askServerToStop, findRunningServer, isDirectoryLocked } from "@flyte-secrets/store";
import type { CliContext } from "../context.ts";

const LOOK_MS = 50;
/** A server lets calls under way finish for 10 s, and a webhook goes on until the API server has learnt of its end. */
const LIMIT_MS = 60_000;

/**
 * `serve --stop`: ends the server on a data directory, in order, and returns when another one could start. None there
 * is fine.
 */
export async function stopServer(directory: string, cli: CliContext): Promise<void> {
  const server = findRunningServer(directory);
  if (server === undefined) {
    cli.stdout.write(`No server runs on ${directory}.\n`);
    return;
  }
  const pid = askServerToStop(directory, server);
  const end = performance.now() + LIMIT_MS;
  while (isDirectoryLocked(directory)) {
    if (performance.now() > end) throw stillThere(pid);
    await delay(LOOK_MS);
  }
  cli.stdout.write(`Stopped the server on ${directory} (process ${pid}).\n`);
}

function stillThere(pid: number): SecretsError {
  return new SecretsError(
    "deadline_exceeded",
    `process ${pid} was asked to stop and has not ended within ${LIMIT_MS / 1000} s. kill -9 ${pid} ends it at ` +
      "once; what was acknowledged is in the store",
  );
}
