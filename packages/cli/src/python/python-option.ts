import type { Command } from "commander";

/** What {@link addPythonOption} reads. */
export interface PythonOptions {
  readonly python?: string;
}

/** Adds `--python`, for commands that import a Python file. */
export function addPythonOption(command: Command): Command {
  return command.option(
    "--python <path>",
    "Python that imports a Python file, or its environment (default: VIRTUAL_ENV, .venv, venv, python3)",
  );
}
