import type { Config, ConfigText } from "@flyte-secrets/config";
import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { SETTING_FLAG } from "./normalize-argv.ts";
import { addConfigOption } from "./secret-options.ts";

/** The server's configuration, as the command line gives it. */
export interface SettingOptions {
  readonly config?: readonly string[];
  /** `secret.server.port=9`, one for each flag. */
  readonly "section.path"?: readonly string[];
}

/** Adds what {@link SettingOptions} reads. */
export function addSettingOptions(command: Command): Command {
  command.optionsGroup("Configuration:");
  addConfigOption(command, "configuration file or glob of files; may be repeated, later ones win");
  return command.option(
    `${SETTING_FLAG} <value>`,
    "any setting of docs/configuration.md by its path, such as --secret.server.port 9000",
    (setting: string, before?: string[]) => [...(before ?? []), setting],
  );
}

/** What an option such as `--port` stands for; without a value it wasn't given. */
export interface Shortcut {
  readonly setting: string;
  readonly value: string | undefined;
}

/**
 * The configuration of the server that this user runs or would run. `shortcuts` are options that stand for a setting,
 * by what is typed.
 */
export async function readConfig(
  options: SettingOptions & { readonly texts?: readonly ConfigText[] | undefined },
  cli: CliContext,
  shortcuts: Readonly<Record<string, Shortcut>> = {},
): Promise<Config> {
  const { loadConfig } = await import("@flyte-secrets/config");
  const settings = (options["section.path"] ?? []).map((setting) => {
    const [path = "", ...value] = setting.split("=");
    return [path, value.join("=")];
  });
  const given = Object.entries(shortcuts).flatMap(([flag, { setting, value }]) =>
    value === undefined ? [] : [{ flag, setting, value }],
  );
  return loadConfig({
    files: options.config ?? [],
    env: cli.env,
    flags: Object.fromEntries([...settings, ...given.map(({ setting, value }) => [setting, value])]),
    flagNames: Object.fromEntries(given.map(({ setting, flag }) => [setting, flag])),
    home: cli.home,
    cwd: cli.cwd,
    // In the place of files, where the command line names none.
    ...(options.texts && { texts: options.texts }),
    warn: (message) => cli.stderr.warn(message),
  });
}
