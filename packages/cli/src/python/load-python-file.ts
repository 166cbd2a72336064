import { basename } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { excerpt } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { childEnvironment } from "../run/run-child.ts";
import { findPython } from "./find-python.ts";
import type { TasksOfFile } from "./python-requests.ts";
import { readPythonTasks } from "./read-python-tasks.ts";

export interface LoadPythonFileOptions {
  readonly config: Config;
  readonly cli: CliContext;
  /** `--python`. */
  readonly python?: string | undefined;
}

/** The signals that stop an import. */
const STOPPING: readonly string[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** A Python file's tasks, and the interpreter that has imported it. */
export interface PythonFile extends TasksOfFile {
  readonly python: string;
}

/** Reads the tasks of a Python file as a command does. Throws as {@link findPython} and {@link readPythonTasks} do. */
export async function loadPythonFile(
  file: string,
  { config, cli, python: given }: LoadPythonFileOptions,
): Promise<PythonFile> {
  const { env, cwd, stderr } = cli;
  const python = findPython(file, { given, env, cwd });
  const stop = new AbortController();
  // Until the import is over: then they are for the program that gets the secrets.
  const stopRelaying = cli.relaySignals((signal) => STOPPING.includes(signal) && stop.abort());
  try {
    const tasks = await readPythonTasks(file, {
      python,
      env: childEnvironment(env, config.secrets["env-prefix"], new Map()),
      cwd,
      signal: stop.signal,
      onSlow: () => stderr.write(`note: still importing ${excerpt(basename(file))}; Ctrl-C stops it\n`),
    });
    return { file, python, tasks };
  } finally {
    stopRelaying();
  }
}
