import { existsSync, globSync } from "node:fs";
import { resolve } from "node:path";
import { SecretsError } from "@flyte-secrets/core";

/**
 * The files that the given paths and globs stand for: in the order given, the matches of one glob in name order. Relative ones
 * start at `cwd`. A path that exists is itself, whatever characters it has (C-2).
 * @throws SecretsError `invalid_config` when one matches nothing.
 */
export function findConfigFiles(patterns: readonly string[], cwd: string): string[] {
  return patterns.flatMap((pattern) => {
    const files = existsSync(resolve(cwd, pattern)) ? [pattern] : globSync(pattern, { cwd }).sort();
    if (files.length === 0) {
      throw new SecretsError(
        "invalid_config",
        `--config ${pattern}: no file matches; name a file or a glob such as DIR/*.yaml`,
      );
    }
    return files;
  });
}
