import { quote, type SecretValue } from "@flyte-secrets/core";
import type { VariableNaming } from "./injector.ts";

/**
 * The names of the variables for a value whose raw name is `name`. With `posix` naming there is a second one, unless it
 * is the same: every character outside `A-Z`, `0-9` and `_` becomes `_`. The raw one stays because flytekit reads it
 * (I-13).
 */
export function variableNames(name: string, { style }: VariableNaming): string[] {
  if (style === "raw") return [name];
  const posix = name.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  return posix === name ? [name] : [name, posix];
}

/** The limit of Linux for one `NAME=value` of an environment and its final NUL (`MAX_ARG_STRLEN`, 32 pages). */
const MAX_VARIABLE_BYTES = 131_072;

/**
 * The reason why a secret can't be the value of the variables `names`; undefined when it can. `key` is for the message.
 */
export function validateVariable(value: SecretValue, key: string, names: readonly string[]): string | undefined {
  const attempted = `secret ${quote(key)} is attempted to be mounted as an environment variable, but has`;
  if (value.revealText() === undefined) {
    return `${attempted} a binary value that is not a valid UTF-8 string; mount as a file instead`;
  }
  if (value.revealBytes().includes(0)) {
    return `${attempted} a value with a NUL byte; mount as a file instead`;
  }
  const longest = Math.max(...names.map((name) => Buffer.byteLength(name)));
  const bytes = longest + value.byteLength + "=\0".length;
  if (bytes > MAX_VARIABLE_BYTES) {
    return (
      `${attempted} a value of ${value.byteLength} bytes, with which the variable would be longer than ` +
      `the ${MAX_VARIABLE_BYTES} bytes that Linux takes; mount as a file instead`
    );
  }
  return undefined;
}
