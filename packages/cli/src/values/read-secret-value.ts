import { SecretsError, SecretValue } from "@flyte-secrets/core";
import type { Host } from "../host.ts";
import { readDockerConfig } from "./docker-config.ts";
import { credentialsKey, toDockerConfigJson } from "./docker-registry.ts";
import { withoutLineFeed } from "./line-feed.ts";
import { canAsk, openPrompt } from "./prompt.ts";
import { MAX_VALUE_BYTES, readInput } from "./read-input.ts";
import type { ValueOptions } from "./value-options.ts";

/**
 * The value that the options name, or that the user types. The options are consistent (`checkValueOptions`), and
 * there is somebody to ask where that is needed ({@link checkSomebodyToAsk}).
 */
export async function readSecretValue(options: ValueOptions, host: Host): Promise<SecretValue> {
  if (options.value !== undefined) {
    warnOfHistory("--value", "--from-file or the prompt", host);
    return SecretValue.fromText(options.value);
  }
  if (options.fromFile !== undefined) {
    const read = await readInput(options.fromFile, { option: "--from-file", maxBytes: MAX_VALUE_BYTES, host });
    if (options.type === "image_pull") return SecretValue.fromBytes(read);
    const { bytes, notes } = withoutLineFeed(read, options.fromFile, options.keepLineFeed ?? false);
    for (const note of notes) host.stderr.write(`note: ${note}\n`);
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
        host,
      ),
    );
  }
  return options.type === "regular" ? askForValue(host) : askForCredentials(options, host);
}

/** Throws `usage`, naming the options to use instead, where somebody has to be asked for the value and there is nobody. */
export function checkSomebodyToAsk(options: ValueOptions, host: Host): void {
  const { value, fromFile, fromDockerConfig, type } = options;
  if (canAsk(host) || value !== undefined || fromFile !== undefined || fromDockerConfig) return;
  if (type === "regular") throw nobodyToAsk("the value", "--from-file FILE, or pipe it in with --from-file -");
  if ([options.registry, options.username, options.password].every((part) => part !== undefined)) return;
  throw nobodyToAsk("the credentials", "--from-docker-config, or --registry, --username and --password");
}

async function askForValue(host: Host): Promise<SecretValue> {
  const prompt = await openPrompt(host);
  return SecretValue.fromText(await prompt.secret("Enter secret value:"));
}

async function askForCredentials(options: ValueOptions, host: Host): Promise<SecretValue> {
  if (options.password !== undefined) warnOfHistory("--password", "the prompt", host);
  const given = { registry: options.registry, username: options.username, password: options.password };
  const complete = Object.values(given).every((part) => part !== undefined);
  const prompt = complete ? undefined : await openPrompt(host);
  const ask = async (part: string | undefined, how: "text" | "secret", question: string) =>
    part ?? (await prompt?.[how](question)) ?? "";
  const registry = await ask(given.registry, "text", "Registry (such as ghcr.io, docker.io):");
  const username = await ask(given.username, "text", "Username:");
  const password = await ask(given.password, "secret", "Password:");
  return toDockerConfigJson(new Map([[credentialsKey(registry), { username, password }]]));
}

function warnOfHistory(option: string, instead: string, host: Host): void {
  host.stderr.write(`warning: ${option} stays in the shell's history and shows in the process list; use ${instead}\n`);
}

function nobodyToAsk(what: string, instead: string): SecretsError {
  return new SecretsError("usage", `nobody to ask for ${what}: standard input is no terminal. Use ${instead}`);
}
