import { excerpt, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { credentialsKey, readDockerConfig, toDockerConfigJson } from "./docker-config.ts";
import { canPrompt, openPrompt } from "./prompt.ts";
import { MAX_VALUE_BYTES, readInput } from "./read-input.ts";
import type { ValueOptions } from "./value-options.ts";

/**
 * Returns the value of the options, or one that the user types. The options are consistent (`checkValueOptions`), and a
 * terminal is available if it is needed ({@link assertCanPrompt}).
 */
export async function readSecretValue(options: ValueOptions, cli: CliContext): Promise<SecretValue> {
  if (options.value !== undefined) {
    warnOfHistory("--value", "--from-file or the prompt", cli);
    return SecretValue.fromText(options.value);
  }
  if (options.fromFile !== undefined) {
    const read = await readInput(options.fromFile, { option: "--from-file", maxBytes: MAX_VALUE_BYTES, cli });
    if (options.type === "image_pull") return SecretValue.fromBytes(read);
    const { bytes, notes } = trimLineFeed(read, options.fromFile, options.keepLineFeed ?? false);
    for (const note of notes) cli.stderr.write(`note: ${note}\n`);
    return SecretValue.fromBytes(bytes);
  }
  if (options.fromDockerConfig) {
    const registries = options.registries?.split(",").flatMap((name) => name.trim() || []);
    return toDockerConfigJson(
      await readDockerConfig(
        {
          ...(options.dockerConfigPath !== undefined && { path: options.dockerConfigPath }),
          ...(registries && { registries }),
        },
        cli,
      ),
    );
  }
  return options.type === "regular" ? askForValue(cli) : askForCredentials(options, cli);
}

/**
 * Throws `usage`, naming the options to use instead, where the value has to be prompted for and there is no terminal.
 */
export function assertCanPrompt(options: ValueOptions, cli: CliContext): void {
  const { value, fromFile, fromDockerConfig, type } = options;
  if (canPrompt(cli) || value !== undefined || fromFile !== undefined || fromDockerConfig) return;
  if (type === "regular") throw nobodyToAsk("the value", "--from-file FILE, or pipe it in with --from-file -");
  if ([options.registry, options.username, options.password].every((part) => part !== undefined)) return;
  throw nobodyToAsk("the credentials", "--from-docker-config, or --registry, --username and --password");
}

async function askForValue(cli: CliContext): Promise<SecretValue> {
  const prompt = await openPrompt(cli);
  return SecretValue.fromText(await prompt.secret("Enter secret value:"));
}

async function askForCredentials(options: ValueOptions, cli: CliContext): Promise<SecretValue> {
  if (options.password !== undefined) warnOfHistory("--password", "the prompt", cli);
  const given = { registry: options.registry, username: options.username, password: options.password };
  const complete = Object.values(given).every((part) => part !== undefined);
  const prompt = complete ? undefined : await openPrompt(cli);
  const ask = async (part: string | undefined, how: "text" | "secret", question: string) =>
    part ?? (await prompt?.[how](question)) ?? "";
  const registry = await ask(given.registry, "text", "Registry (such as ghcr.io, docker.io):");
  const username = await ask(given.username, "text", "Username:");
  const password = await ask(given.password, "secret", "Password:");
  return toDockerConfigJson(new Map([[credentialsKey(registry), { username, password }]]));
}

function warnOfHistory(option: string, instead: string, cli: CliContext): void {
  cli.stderr.write(`warning: ${option} stays in the shell's history and shows in the process list; use ${instead}\n`);
}

function nobodyToAsk(what: string, instead: string): SecretsError {
  return new SecretsError("usage", `nobody to ask for ${what}: standard input is no terminal. Use ${instead}`);
}

/** The bytes of a file, and notes for the user about its line breaks and white space. */
export interface FileValue {
  readonly bytes: Uint8Array;
  readonly notes: readonly string[];
}

/**
 * Removes the line breaks after a single line of text, which editors and `echo` add to a password: a task that reads
 * the variable would get them, one that calls `getSecret` would not. Several lines are kept, because keys in files need
 * their last line break, and so are bytes that are not text. Notes report removed line breaks, remaining white space at
 * the ends, and empty input, as from a pipe whose first command has failed (T-11).
 */
export function trimLineFeed(bytes: Uint8Array, file: string, keep: boolean): FileValue {
  const text = textOf(bytes);
  if (text === undefined) return { bytes, notes: [] };
  const name = file === "-" ? "standard input" : excerpt(file);
  const end = endOfLine(text);
  const isLine = end > 0 && !text.slice(0, end).includes("\n");
  const kept = isLine && !keep ? text.slice(0, end) : text;
  const notes = [
    ...(text === "" ? [`${name} is empty, and so is the value`] : []),
    ...(kept === text ? [] : [`the line feed at the end of ${name} is left out; --keep-line-feed keeps it`]),
    ...(kept.trim() === kept
      ? []
      : [`${name} begins or ends with white space, which is part of the value; getSecret gives text without it`]),
  ];
  return { bytes: kept === text ? bytes : new TextEncoder().encode(kept), notes };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Where the line breaks at the end begin. */
function endOfLine(text: string): number {
  let end = text.length;
  while (end > 0 && ["\n", "\r"].includes(text.charAt(end - 1))) end--;
  return end;
}
