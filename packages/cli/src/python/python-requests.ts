import { basename } from "node:path";
import { excerpt, quote, type SecretRequest, SecretsError, sharedVariable } from "@flyte-secrets/core";
import type { TaskDefinition } from "@flyte-secrets/sdk";
import { describeMissingTask } from "../run/load-tasks.ts";
import type { PythonTask } from "./read-python-tasks.ts";

/** The tasks of a file that a call reads. */
export interface TasksOfFile {
  readonly file: string;
  readonly tasks: readonly PythonTask[];
}

/** The task of that name: the variable that the file has for it, or its name in Flyte. `not_found` lists the others. */
export function findPythonTask({ file, tasks }: TasksOfFile, name: string): PythonTask {
  const found = tasks.find((task) => task.name === name) ?? tasks.find(({ fullName }) => fullName === name);
  if (found !== undefined) return found;
  if (tasks.length === 0) throw noTasks(file);
  const names = tasks.map((task) => task.name ?? task.fullName);
  throw new SecretsError("not_found", describeMissingTask(name, names, file));
}

/**
 * What one program asks for that is given the secrets of a file: those of the named task's own pod, or of all tasks
 * that a workflow calls; without a name, of all tasks of the file. Throws as {@link findPythonTask} does, and
 * `pod_conflict` when two tasks want different values in one variable.
 */
export function requestsOfPythonTask(from: TasksOfFile, name: string | undefined): readonly SecretRequest[] {
  if (name === undefined) {
    if (from.tasks.length === 0) throw noTasks(from.file);
    return combineRequests(from.tasks);
  }
  const task = findPythonTask(from, name);
  return task.kind === "workflow" ? combineRequests(tasksOfRun(from, task)) : task.requests;
}

/** The tasks that run when this one does: itself, and what it may call. */
export function tasksOfRun({ tasks }: TasksOfFile, task: PythonTask): readonly PythonTask[] {
  const reached = new Set([task]);
  // A set yields what is added while it is read.
  for (const { calls } of reached) {
    for (const called of calls.map((at) => tasks[at])) if (called !== undefined) reached.add(called);
  }
  return [...reached];
}

/** A task as the commands name and explain it. */
export function toDefinition({ name, fullName, kind, requests }: PythonTask): TaskDefinition {
  return { name: name ?? fullName, kind: kind === "workflow" ? "workflow" : "task", requests };
}

/** Those that the file has a variable for; `not_found` when it has none. */
export function toDefinitions({ file, tasks }: TasksOfFile): readonly TaskDefinition[] {
  if (tasks.length === 0) throw noTasks(file);
  return tasks.filter(({ name }) => name !== null).map(toDefinition);
}

/** What is read of a task to combine what several ask for. */
type AskingTask = Pick<PythonTask, "name" | "fullName" | "requests">;

/** Far more than a pod may ask for. Each is compared with all others. */
const MAX_REQUESTS = 1_000;

/** Each request once, in order. Throws `pod_conflict`, naming both tasks, and `usage` for more than 1,000 requests. */
export function combineRequests(tasks: readonly AskingTask[]): readonly SecretRequest[] {
  const combined = new Map<string, { readonly request: SecretRequest; readonly task: AskingTask }>();
  for (const task of tasks) {
    for (const request of task.requests) {
      const { group, groupVersion, key, mountRequirement, envVar } = request;
      const identity = JSON.stringify([group, groupVersion, key, mountRequirement, envVar]);
      if (combined.has(identity)) continue;
      if (combined.size === MAX_REQUESTS) {
        throw new SecretsError(
          "usage",
          `the tasks ask for more than ${MAX_REQUESTS} secrets together: name one of them`,
        );
      }
      for (const earlier of combined.values()) refuseShared(earlier, { request, task });
      combined.set(identity, { request, task });
    }
  }
  return [...combined.values()].map(({ request }) => request);
}

interface Asked {
  readonly request: SecretRequest;
  readonly task: AskingTask;
}

function refuseShared(one: Asked, other: Asked): void {
  const variable = one.task === other.task ? undefined : sharedVariable(one.request, other.request);
  if (variable === undefined) return;
  throw new SecretsError(
    "pod_conflict",
    `${describe(one)} and ${describe(other)} are both the variable ${excerpt(variable)}, which holds only one: name ` +
      "one of the tasks, or give one of the secrets another variable",
  );
}

function describe({ request: { group, key }, task }: Asked): string {
  return `${quote([group, key].filter(Boolean).join("/"))} of ${excerpt(task.name ?? task.fullName)}`;
}

function noTasks(file: string): SecretsError {
  const where = excerpt(basename(file));
  return new SecretsError("not_found", `${where} defines no task of flyte or flytekit, in a variable of its own`);
}
