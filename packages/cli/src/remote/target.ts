import { existsSync } from "node:fs";
import { join } from "node:path";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { type Connection, findConnection, resolveDataDirectory } from "@flyte-secrets/sdk/connection";
import { type CliContext, sdkEnvironment } from "../context.ts";
import { rejectCombination } from "../options/check-options.ts";
import type { TargetOptions } from "../options/secret-options.ts";

/** Where the secrets are that a command works on: decided here, for every command. */
export type Target =
  /** The server that this user runs. */
  | { readonly kind: "server"; readonly connection: Connection; readonly directory: string }
  /** This user's store, which no server serves now. It may not be there yet. */
  | { readonly kind: "store"; readonly directory: string }
  /** Somebody else's service, or one that is only known by its address. */
  | {
      readonly kind: "endpoint";
      readonly connection: Connection;
      /** The variable, or the configuration file's path, that names it; undefined for `--endpoint`. */
      readonly namedBy: string | undefined;
      /** The directory of this user's own store or server, where there is one too and no option has decided. */
      readonly besides: string | undefined;
    };

/**
 * The target that the options name, else that of environment and configuration files, else this user's own. `--local`
 * with an option that names another is `usage`.
 */
export async function findTarget(options: TargetOptions, cli: CliContext): Promise<Target> {
  const { endpoint, insecure, org, config, local } = options;
  rejectCombination({ "--local": local, "--endpoint": endpoint });
  rejectCombination({ "--local": local, "--config": config });
  const environment = sdkEnvironment(cli);
  const directory = resolveDataDirectory(environment);
  try {
    const { connection, namedBy } = await findConnection(
      { endpoint, insecure, org, config: config?.[0], local },
      environment,
    );
    if (connection.ownServerRoute !== undefined) return { kind: "server", connection, directory };
    const isDecided = endpoint !== undefined || config !== undefined;
    return {
      kind: "endpoint",
      connection,
      namedBy,
      besides: isDecided || !isOwnKnown(directory) ? undefined : directory,
    };
  } catch (error) {
    if (isSecretsError(error, "no_service")) return ownStoreTarget(directory);
    throw error;
  }
}

/**
 * Like {@link findTarget}, for a command that writes: throws `usage` if this user also has an own store and no option
 * decides.
 */
export async function findWriteTarget(options: TargetOptions, cli: CliContext): Promise<Target> {
  const target = await findTarget(options, cli);
  if (target.kind !== "endpoint" || target.besides === undefined) return target;
  const own = describeTarget(ownStoreTarget(target.besides), cli);
  throw new SecretsError(
    "usage",
    `it could go to two places: ${own}, or ${describeTarget(target, cli)}. ` +
      `Say which: --local, or --endpoint ${target.connection.endpoint}${configHint(target.namedBy, cli)}`,
  );
}

/**
 * Like {@link findTarget}, for a command that reads: if this user also has an own store, a note names the target that
 * is read.
 */
export async function findReadTarget(options: TargetOptions, cli: CliContext): Promise<Target> {
  const target = await findTarget(options, cli);
  if (target.kind === "endpoint" && target.besides !== undefined) {
    const own = describeTarget(ownStoreTarget(target.besides), cli);
    cli.stderr.write(`note: reading from ${describeTarget(target, cli)}; for ${own} add --local\n`);
  }
  return target;
}

export const ownStoreTarget = (directory: string): Target => ({ kind: "store", directory });

/** A target in words: `this machine's own store (~/.flyte-secrets)`, `https://company (from ~/.flyte/config.yaml)`. */
export function describeTarget(target: Target, cli: CliContext): string {
  if (target.kind !== "endpoint") return `this machine's own store (${shortPath(target.directory, cli)})`;
  const { connection, namedBy } = target;
  return connection.endpoint + (namedBy === undefined ? "" : ` (from ${shortPath(namedBy, cli)})`);
}

/** What follows a sentence on a write: empty for this user's own store, else ` at `, and where. */
export function describeElsewhere(target: Target, cli: CliContext): string {
  return target.kind === "endpoint" ? ` at ${describeTarget(target, cli)}` : "";
}

/** A file's settings for certificates and plain HTTP apply when the file itself is named, and not with `--endpoint`. */
function configHint(namedBy: string | undefined, cli: CliContext): string {
  return namedBy?.includes("/") ? ` (with all that its file says: -c ${shortPath(namedBy, cli)})` : "";
}

/** Whether there is a store of this user's, or a server that serves another kind of store. */
function isOwnKnown(directory: string): boolean {
  return ["store.db", "server.json", "server.sock"].some((name) => existsSync(join(directory, name)));
}

/** Whether the target is this user's store, which doesn't exist yet. */
export function isStoreMissing(target: Target): boolean {
  return target.kind === "store" && !existsSync(join(target.directory, "store.db"));
}

/** A path as people write it: `~/` for their home. */
function shortPath(path: string, { home }: CliContext): string {
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
