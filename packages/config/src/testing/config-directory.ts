import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isSecretsError } from "@flyte-secrets/core";
import { afterEach, beforeEach } from "vitest";
import { type ConfigSources, loadConfig } from "../load-config.ts";
import type { Config } from "../schema/config-schema.ts";

/**
 * A working directory for each test, and the configuration as it is loaded there: without other files, environment and
 * flags.
 */
export interface ConfigDirectory {
  path(): string;
  write(file: string, text: string): void;
  load(sources?: Partial<ConfigSources>): Config;
  /** From the one file `config.yaml` with this text. */
  loadText(text: string, sources?: Partial<ConfigSources>): Config;
}

export function useConfigDirectory(): ConfigDirectory {
  let cwd = "";
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "flyte-secrets-config-"));
  });
  afterEach(() => rmSync(cwd, { recursive: true }));

  const write = (file: string, text: string) => {
    mkdirSync(dirname(join(cwd, file)), { recursive: true });
    writeFileSync(join(cwd, file), text);
  };
  const load = (sources: Partial<ConfigSources> = {}) =>
    loadConfig({ files: [], env: {}, flags: {}, home: "/home/me", cwd, defaultFiles: [], ...sources });
  return {
    path: () => cwd,
    write,
    load,
    loadText(text, sources = {}) {
      write("config.yaml", text);
      return load({ files: ["config.yaml"], ...sources });
    },
  };
}

/** Code and message of what is thrown, or what is returned instead. */
export function refusal(run: () => unknown): unknown {
  try {
    return { returned: run() };
  } catch (error) {
    return isSecretsError(error) ? `${error.code}: ${error.message}` : error;
  }
}
