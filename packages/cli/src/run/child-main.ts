import type { TaskCall } from "@flyte-secrets/sdk";
import type { FromChild, ToChild } from "./child-protocol.ts";
import { toJsonValue } from "./json-value.ts";
import { findTask, loadTasks } from "./load-tasks.ts";
import {
  deserializeError,
  noteMissingInput,
  noteThrower,
  type SerializedError,
  serializeError,
} from "./serialized-error.ts";

serveRunner(process);

/** Executes the runner's message, once, and ends the process. */
function serveRunner(channel: NodeJS.Process): void {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let phase: SerializedError["phase"] = "load";

  /** Has the runner carry out a task in a process of its own, with that task's secrets. */
  function callRunner({ definition, inherited, input }: TaskCall): Promise<unknown> {
    const sent = toJsonValue(input, `input of "${definition.name}"`);
    const call = waiting.size;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(call, answer);
    send({ kind: "call", call, definition, inherited, input: sent });
    return answer.promise;
  }

  async function start({ role, file, name, input }: Extract<ToChild, { kind: "start" }>): Promise<unknown> {
    const invoke = role === "driver" ? callRunner : undefined;
    const tasks = await loadTasks(file, { env: channel.env, invoke, onFailure: noteThrower });
    phase = undefined;
    send({ kind: "loaded" });
    if (role === "lister") return tasks.map(({ definition }) => definition);
    const task = findTask(tasks, name, file);
    const { definition } = task;
    // A workflow's own code runs here and calls tasks; a task is such a call by itself.
    if (role === "driver" && definition.kind === "task") return callRunner({ definition, inherited: [], input });
    const result = await task.run(input).catch((error: unknown) => {
      if (input === undefined && task.takesInput === true) noteMissingInput(error);
      throw error;
    });
    try {
      return toJsonValue(result, "result");
    } catch (error) {
      noteThrower(error, definition);
      throw error;
    }
  }

  function send(message: FromChild, done?: () => void): void {
    channel.send?.(message, undefined, undefined, done);
  }

  /** A task may leave timers and connections open that would keep the process alive: its result ends it. */
  async function finish(message: FromChild): Promise<void> {
    await Promise.all([channel.stdout, channel.stderr].map(flushed));
    send(message, () => channel.exit());
  }

  /** Errors of timers, events and promises that aren't awaited. A handler of the user's own file replaces this one. */
  channel.on("uncaughtException", (error: unknown) => {
    if (channel.listenerCount("uncaughtException") > 1) return;
    void finish({ kind: "failed", error: { ...serializeError(error), phase: phase ?? "stray" } });
  });
  channel.on("message", (message: ToChild) => {
    switch (message.kind) {
      case "start":
        start(message)
          .then((value) => finish({ kind: "result", value }))
          .catch((error: unknown) =>
            finish({ kind: "failed", error: { ...serializeError(error), ...(phase && { phase }) } }),
          );
        break;
      case "returned":
        waiting.get(message.call)?.resolve(message.value);
        break;
      case "threw":
        waiting.get(message.call)?.reject(deserializeError(message.error));
        break;
    }
  });
  // Without the runner the result has no reader.
  channel.on("disconnect", () => channel.exit(1));
}

/** Waits until everything written so far has gone to the runner: an exit drops what a full pipe has not taken yet. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writable) await new Promise<unknown>((done) => stream.write("", done));
}
