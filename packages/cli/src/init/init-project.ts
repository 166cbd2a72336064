import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasSystemCode, SecretsError, systemReason } from "@flyte-secrets/core";
import { type DeclaredTask, readTasks } from "../check/read-tasks.ts";
import type { CliContext } from "../context.ts";
import { readConfig, type SettingOptions } from "../options/setting-options.ts";
import { PROJECT_FILE } from "../project-file/find-project-file.ts";
import type { PythonOptions } from "../python/python-option.ts";
import { renderProjectFile } from "./render-project-file.ts";

/** Where a project has the schema that has this command installed. */
const SCHEMA = "./node_modules/@flyte-secrets/cli/schema/flyte-secrets.json";

/** What the command line of `init` gives. */
export interface InitOptions extends SettingOptions, PythonOptions {
  readonly project?: string;
  readonly domain?: string;
  readonly force?: boolean;
}

interface InitCall {
  readonly options: InitOptions;
  readonly cli: CliContext;
}

/**
 * Writes the project file of the current directory by what the tasks of the files ask for. Throws `usage` where there is
 * one and `force` isn't given, and as {@link readTasks} and {@link renderProjectFile} do; nothing is written then.
 */
export async function initProject(files: readonly string[], { options, cli }: InitCall): Promise<void> {
  const config = await readConfig(options, cli);
  const tasks: DeclaredTask[] = [];
  for (const file of files) tasks.push(...(await readTasks(file, { config, cli, python: options.python })));
  const schema = existsSync(join(cli.cwd, SCHEMA)) ? SCHEMA : undefined;
  const text = renderProjectFile(tasks, { ...options, schema });
  try {
    writeFileSync(join(cli.cwd, PROJECT_FILE), text, { flag: options.force ? "w" : "wx" });
  } catch (error) {
    if (hasSystemCode(error, "EEXIST")) {
      throw new SecretsError("usage", `${PROJECT_FILE} exists already; --force replaces it`);
    }
    throw new SecretsError("invalid_argument", `${PROJECT_FILE} cannot be written: ${systemReason(error)}`);
  }
  cli.stdout.write(`${PROJECT_FILE} written. It says which secrets are needed; --help shows what uses it.\n`);
}
