import { checkSecretId, DEFAULT_ORGANIZATION, isSecretsError, SecretsError } from "@flyte-secrets/core";
import { Secret, type SecretsClient } from "@flyte-secrets/sdk/remote";
import { type ConcurrentOptions, runConcurrently } from "../concurrency.ts";
import type { CliContext } from "../context.ts";
import type { SecretEntry } from "../formats/secret-entry.ts";
import { formatFor } from "../formats/secret-formats.ts";
import { describeScope, type SecretCommandOptions } from "../options/secret-options.ts";
import { abbreviateNames, formatCount, formatSecretCount } from "../render/counts.ts";
import { MAX_VALUE_BYTES, readText } from "../values/read-input.ts";
import { withErrorPrefix } from "./progress.ts";

/**
 * Returns the secrets of a file, each with a valid name for its scope: that of the options, or that in the file. Errors
 * name the file and the entry or line. Throws `usage` for a format that neither an option nor the file's name gives,
 * and for scope options beside a scope in the file.
 */
export async function readEntries(
  file: string,
  options: SecretCommandOptions & { readonly format?: string; readonly maxBytes?: number },
  cli: CliContext,
): Promise<SecretEntry[]> {
  const format = formatFor(options.format, file);
  if (!format)
    throw new SecretsError(
      "usage",
      "the file's name does not tell its format: say it with --format env, json or kubernetes",
    );
  const text = await readText(file, { option: "file", cli, maxBytes: options.maxBytes });
  const entries = await withErrorPrefix(file, () => format.parse(text));
  for (const entry of entries) await withErrorPrefix(`${file}: ${entry.name}`, () => checkEntry(entry, options));
  return entries;
}

function checkEntry({ name, type, value, scope }: SecretEntry, options: SecretCommandOptions): void {
  if (scope && (options.project || options.domain || options.clusterPool)) {
    throw new SecretsError(
      "usage",
      `the file says where it belongs (${describeScope(scope)}); leave out --project, --domain and --cluster-pool`,
    );
  }
  const { project = "", domain = "" } = scope ?? options;
  checkSecretId({ org: DEFAULT_ORGANIZATION, domain, project, name });
  const size = value?.byteLength ?? 0;
  if (size > MAX_VALUE_BYTES) {
    throw new SecretsError(
      "invalid_argument",
      `its value has ${size} bytes, and a secret takes ${MAX_VALUE_BYTES} (1 MiB)`,
    );
  }
  if (type === "image_pull" && domain !== "") {
    throw new SecretsError(
      "invalid_argument",
      "an image-pull secret has neither project nor domain; import it without",
    );
  }
}

export interface ImportEntriesOptions extends ConcurrentOptions {
  /**
   * What happens with secrets that are there: they refuse the whole import, are left as they are, or get the entry's
   * value.
   */
  readonly existing: "refuse" | "skip" | "overwrite";
  /** Find out what would be done, and do nothing. */
  readonly dryRun: boolean;
  readonly clusterPool?: string | undefined;
  /** Overwrite Secrets of Kubernetes too that something else keeps. */
  readonly force?: boolean | undefined;
}

/** Entries of one scope, and a client of that scope: none for a dry run where there is no store yet. */
export interface ScopedEntries {
  /** In words, for messages. */
  readonly scope: string;
  readonly entries: readonly SecretEntry[];
  readonly client: SecretsClient | undefined;
}

export type ImportOutcome = "create" | "update" | "skip";

/** One entry and what was done for it. */
export interface Imported {
  /** With its scope, when there are several. */
  readonly name: string;
  readonly how: ImportOutcome;
}

interface Step extends Imported {
  readonly entry: SecretEntry;
  readonly client: SecretsClient | undefined;
}

/** A page of a listing, of names to compare with. */
const PAGE = 1_000;

/**
 * Writes the entries concurrently and returns the outcomes in their order. Throws `already_exists`, with the first few
 * names, before anything is written. After a failure or an abort the error includes the progress and how to continue.
 */
export async function importEntries(
  groups: readonly ScopedEntries[],
  { existing, dryRun, clusterPool, force, ...work }: ImportEntriesOptions,
): Promise<Imported[]> {
  const steps: Step[] = [];
  for (const group of groups) steps.push(...(await planGroup(group)));
  const taken = steps.filter(({ how }) => how !== "create").map(({ name }) => name);
  if (taken.length > 0 && existing === "refuse") throw alreadyThere(taken);
  if (dryRun) return steps;
  const act = async (step: Step): Promise<Imported> => ({ name: step.name, how: await write(step) });
  const { outcomes, done, failure } = await runConcurrently(steps, act, work);
  const rest = existing === "overwrite" ? "The same command" : "The same command with --skip-existing";
  const far = `${formatCount(done)} of ${formatSecretCount(steps.length)} done. ${rest} goes on from there`;
  if (failure !== undefined) {
    const { name = "" } = steps[failure.index] ?? {};
    await withErrorPrefix(`${name} (${far})`, () => Promise.reject(failure.error));
  }
  if (done < steps.length) throw new SecretsError("canceled", `interrupted: ${far}`);
  return outcomes.filter((outcome) => outcome !== undefined);

  async function planGroup({ scope, entries, client }: ScopedEntries): Promise<Step[]> {
    const there = client ? await namesIn(client, clusterPool) : new Set();
    const ifThere = existing === "skip" ? "skip" : "update";
    return entries.map((entry) => ({
      name: groups.length > 1 ? `${entry.name} (${scope})` : entry.name,
      how: there.has(entry.name) ? ifThere : "create",
      entry,
      client,
    }));
  }

  async function write({ how, entry: { name, type, value }, client }: Step): Promise<ImportOutcome> {
    if (client === undefined || value === undefined || how === "skip") return how;
    try {
      await Secret[how]({ client, clusterPool, force, name, value, type: type === "generic" ? "regular" : type });
      return how;
    } catch (error) {
      // Somebody else has made it since the names were looked at.
      if (existing === "skip" && isSecretsError(error, "already_exists")) return "skip";
      throw error;
    }
  }
}

function alreadyThere(names: readonly string[]): SecretsError {
  const which = `already there: ${abbreviateNames(names)}`;
  return new SecretsError(
    "already_exists",
    `${which}. Nothing was written; --skip-existing leaves them as they are, --overwrite gives them the file's values`,
  );
}

/** The names at exactly the scope of `client`; a listing holds the narrower scopes too. */
async function namesIn(client: SecretsClient, clusterPool: string | undefined): Promise<Set<string>> {
  const scope = client.connection;
  const names = new Set<string>();
  for await (const { name, project, domain } of Secret.listall({ client, clusterPool, limit: PAGE })) {
    if (project === scope.project && domain === scope.domain) names.add(name);
  }
  return names;
}
