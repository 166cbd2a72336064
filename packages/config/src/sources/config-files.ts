import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { decodeText, NOT_TEXT, SecretsError, withinStack } from "@flyte-secrets/core";
import type { Document } from "yaml";
import { loadYaml } from "../load-yaml.ts";
import { type Assignment, assignTree } from "./assignment.ts";
import { keyOffset } from "./key-offset.ts";

/**
 * Expands paths and globs to files: in the order given, the matches of one glob in name order. Relative ones start from
 * `cwd`. The path of an existing file is never taken for a glob (C-2).
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

/**
 * Reads the assignments of a YAML file. Their origin is the file as it was named, and the line.
 * @throws SecretsError `invalid_config` when it cannot be read, is not YAML or has an unknown key in a section of ours.
 */
export function readConfigFile(file: string, cwd: string): Assignment[] {
  return parseConfigText(readBytes(resolve(cwd, file), file), file);
}

/** Parses the content of a file as {@link readConfigFile} does. */
export function parseConfigText(bytes: Uint8Array, file: string): Assignment[] {
  const text = decodeText(bytes);
  if (text === undefined) throw new SecretsError("invalid_config", `${file}: ${NOT_TEXT}`);
  const { LineCounter, parseDocument } = loadYaml();
  const lineCounter = new LineCounter();
  // Pretty errors quote the line, and warnings quote keys: either may be a secret in another program's section.
  const options = { lineCounter, prettyErrors: false, merge: true, logLevel: "error" } as const;
  const document = withinStack(
    () => parseDocument(text, options),
    () => new SecretsError("invalid_config", `${file}: not valid YAML: nested too deeply`),
  );
  const lineAt = (offset: number) => `${file}:${lineCounter.linePos(offset).line}`;
  const [error] = document.errors;
  if (error !== undefined) {
    throw new SecretsError("invalid_config", `${lineAt(error.pos[0])}: not valid YAML (${error.code})`);
  }
  return assignTree(contentOf(document, file), (keys) => lineAt(keyOffset(document, keys)));
}

/** Aliases and merge keys are followed only here. */
function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    const reason = "an alias or a merge key leads nowhere";
    throw new SecretsError("invalid_config", `${file}: not valid YAML: ${reason}`, { cause });
  }
}

function readBytes(path: string, file: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    const reason =
      code === "EISDIR" ? "is a directory; name a file or a glob such as DIR/*.yaml" : `cannot be read (${code})`;
    throw new SecretsError("invalid_config", `${file}: ${reason}`, { cause });
  }
}
