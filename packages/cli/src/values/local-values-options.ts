import { type Command, Option } from "commander";
import { addSettingOptions, type SettingOptions } from "../options/setting-options.ts";
import { addTaskScopeOptions, type TaskScopeOptions } from "../options/task-scope-options.ts";

/** What commands take that write values out. */
export interface LocalValuesOptions extends SettingOptions, TaskScopeOptions {
  readonly reveal?: boolean;
  readonly verbose?: boolean;
  /** Refused, with the reason. */
  readonly endpoint?: string;
}

/** Adds what {@link LocalValuesOptions} reads. */
export function addLocalValuesOptions(command: Command): Command {
  command
    .option("--reveal", "show values on a terminal")
    .option("-v, --verbose", "say on standard error from which scope each value comes")
    .addOption(new Option("--endpoint <address>").hideHelp());
  return addSettingOptions(addTaskScopeOptions(command));
}
