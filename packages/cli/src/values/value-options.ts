import { SecretsError } from "@flyte-secrets/core";
import { type Command, Option } from "commander";
import { givenFlags, rejectCombination, requireFor } from "../options/check-options.ts";
import type { ScopeOptions } from "../options/secret-options.ts";

/** Flyte's names for the types of a secret. */
export const SECRET_TYPES = ["regular", "image_pull"] as const;
export type SecretTypeName = (typeof SECRET_TYPES)[number];

/** The options that give a secret's value. */
export interface ValueOptions {
  readonly type: SecretTypeName;
  readonly value?: string;
  readonly fromFile?: string;
  readonly keepLineFeed?: boolean;
  readonly registry?: string;
  readonly username?: string;
  readonly password?: string;
  readonly fromDockerConfig?: boolean;
  readonly dockerConfigPath?: string;
  readonly registries?: string;
}

/** Adds what {@link ValueOptions} reads. */
export function addValueOptions(command: Command): Command {
  return command
    .optionsGroup("Value (none given: asked for without echo):")
    .option("--value <value>", "the value itself; your shell's history keeps it")
    .option("--from-file <file>", "a file's bytes, without the line feed behind a single line; - is standard input")
    .option("--keep-line-feed", "with --from-file: keep that line feed too")
    .addOption(new Option("--type <type>", "what the secret is for").choices([...SECRET_TYPES]).default("regular"))
    .optionsGroup("Value of an image-pull secret (none given: asked for):")
    .option("--registry <host>", "registry to pull from, such as ghcr.io")
    .option("--username <name>", "user name at --registry")
    .option("--password <password>", "password at --registry; your shell's history keeps it (not given: asked for)")
    .option("--from-docker-config", "take the credentials that docker login stored, credential helpers included")
    .option("--docker-config-path <file>", "Docker's configuration (default: its usual place)")
    .option("--registries <list>", "only these registries of Docker's configuration, separated by commas");
}

/** Throws `usage`, naming the options, when some of them contradict each other or have no meaning together. */
export function checkValueOptions(options: ValueOptions, scope: ScopeOptions): void {
  const {
    value,
    fromFile,
    keepLineFeed,
    registry,
    username,
    password,
    fromDockerConfig,
    dockerConfigPath,
    registries,
  } = options;
  rejectCombination({
    "--value": value,
    "--from-file": fromFile,
    "--registry": registry,
    "--from-docker-config": fromDockerConfig,
  });
  if (fromFile === undefined) requireFor("--from-file", { "--keep-line-feed": keepLineFeed });
  if (!fromDockerConfig) {
    requireFor("--from-docker-config", { "--docker-config-path": dockerConfigPath, "--registries": registries });
  }
  if (registry === undefined) requireFor("--registry", { "--username": username, "--password": password });
  if (options.type === "regular") {
    requireFor("--type image_pull", { "--registry": registry, "--from-docker-config": fromDockerConfig });
    return;
  }
  const [narrower] = givenFlags({ "--project": scope.project || undefined, "--domain": scope.domain || undefined });
  if (narrower !== undefined) {
    throw new SecretsError(
      "usage",
      `${narrower} cannot be used with --type image_pull: image pull secrets are organization-level`,
    );
  }
}
