import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsError, trimEndOf } from "@flyte-secrets/core";

/**
 * Returns the bytes of a secret from the first place that has it. Throws `secret_not_readable` when no place has it,
 * naming the missing request and all places, or when its file exists and cannot be read (T-5, T-8).
 */
export function findSecret(query: SecretQuery, options: PlaceOptions): Uint8Array {
  const places = secretPlaces(query, options);
  for (const name of places.variables) {
    const value = options.variables[name];
    if (value !== undefined) return Buffer.from(value);
  }
  for (const path of places.files) {
    const bytes = readOptionalFile(path);
    if (bytes !== undefined) return bytes;
  }
  throw notGiven(query, places, options.isRun ?? true);
}

function readOptionalFile(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    // A directory belongs to a group, and a name that the file system refuses is a form that this manager does not use.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "ENAMETOOLONG") return undefined;
    throw new SecretsError(
      "secret_not_readable",
      `${path} is there but cannot be read (${String(code)}): check its mode and owner.`,
      {
        cause,
      },
    );
  }
}

function notGiven(query: SecretQuery, places: SecretPlaces, isRun: boolean): SecretsError {
  const parts = (["group", "groupVersion", "key"] as const).filter((name) => query[name]);
  const request = parts.map((name) => `${name}: ${JSON.stringify(query[name])}`).join(", ");
  const brief = isRun
    ? `This task was not given the secret with ${request}. ` +
      `Add secretRequests: [new Secret({ ${request} })] to the task or to a workflow that calls it.`
    : `Nothing has given this process the secret with ${request}: run its task with flyte-secrets run FILE TASK.`;
  return new SecretsError(
    "secret_not_readable",
    `${brief} Looked at the variables ${places.variables.join(", ")} and the files ${places.files.join(", ")}.`,
    { brief },
  );
}

/** The secret to read, by the parts of its request. Each part is optional, but one is needed. */
export interface SecretQuery {
  readonly group?: string | undefined;
  readonly groupVersion?: string | undefined;
  readonly key?: string | undefined;
}

/** What decides where a task's secrets are: the variables of its injection, and whether it is a local run. */
export interface PlaceOptions {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Whether this is a local run, in which variables without the prefix are read too. */
  readonly local: boolean;
  /** Whether a runner or a cluster has started this process and has injected the secrets of its task. Default: true. */
  readonly isRun?: boolean;
  /** The directory of Vault's agent. */
  readonly vaultDirectory: string;
}

/** The places where a secret may be, in the order in which they are read: all variables, then all files. */
export interface SecretPlaces {
  readonly variables: readonly string[];
  readonly files: readonly string[];
}

/**
 * Returns all places where a secret manager may have put the secret, most specific first: with the version, without it,
 * the file `<group>/<groupVersion>` (GCP, Azure), without the group (Embedded). Without a group, the MD5 of the key is
 * tried as group too, as the K8s manager uses it. Throws `invalid_argument` when no part is given, or one leads out of
 * the secrets directory (T-6, T-7).
 */
export function secretPlaces(query: SecretQuery, options: PlaceOptions): SecretPlaces {
  const { group, groupVersion, key } = query;
  const given = [group, groupVersion, key].filter(isPart);
  if (given.length === 0)
    throw new SecretsError("invalid_argument", "getSecret needs a group, a key or a groupVersion.");
  for (const part of given) checkPart(part);

  const underHash = group ? [] : [keyHash(key), key];
  const ofVersion =
    group && (groupVersion || !key)
      ? [
          [group, groupVersion],
          [folderOfUri(group), groupVersion],
        ]
      : [];
  return {
    variables: prefixes(options).flatMap((prefix) => variableNames(prefix, [given, [group, key], [key], underHash])),
    files: unique([
      ...fileNames(options.variables, [given, [group, key], ...ofVersion, [key], underHash]),
      ...(group ? [join(options.vaultDirectory, group), join(options.vaultDirectory, group.toLowerCase())] : []),
    ]),
  };
}

type Parts = readonly (string | undefined)[];

const isPart = (part: string | undefined): part is string => part !== undefined && part !== "";
const unique = (names: readonly string[]): readonly string[] => [...new Set(names)];

/** An empty prefix means the default, as in flytekit. */
function prefixes({ variables, local }: PlaceOptions): readonly string[] {
  const prefix = variables.FLYTE_SECRETS_ENV_PREFIX || "_FSEC_";
  return local ? [prefix, ""] : [prefix];
}

/** Each name in the webhook's `raw` naming, then in its `posix` naming. */
function variableNames(prefix: string, forms: readonly Parts[]): readonly string[] {
  const names = forms.map((parts) => parts.filter(isPart)).filter((parts) => parts.length > 0);
  return unique(
    names.flatMap((parts) => {
      const name = prefix + parts.join("_").toUpperCase();
      return [name, name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_")];
    }),
  );
}

/**
 * Each path as given, then in lower case: managers differ. `token` and `TOKEN` may both exist, and each is found by its
 * own name first.
 */
function fileNames(variables: PlaceOptions["variables"], forms: readonly Parts[]): readonly string[] {
  const directory = variables.FLYTE_SECRETS_DEFAULT_DIR || "/etc/secrets";
  const filePrefix = variables.FLYTE_SECRETS_FILE_PREFIX ?? "";
  return forms
    .map((parts) => parts.filter(isPart))
    .filter((parts) => parts.length > 0)
    .flatMap((parts) =>
      [parts, parts.map((part) => part.toLowerCase())].map((names) =>
        join(directory, ...names.slice(0, -1), `${filePrefix}${names.at(-1)}`),
      ),
    );
}

/** Azure's manager names the folder after the last segment of the secret's URI, which is the group. */
const folderOfUri = (group: string): string | undefined =>
  group.includes("://") ? trimEndOf(group, "/").split("/").at(-1) : group;

const keyHash = (key: string | undefined): string | undefined =>
  isPart(key) ? createHash("md5").update(key).digest("hex") : undefined;

function checkPart(part: string): void {
  if (!part.split("/").includes("..")) return;
  throw new SecretsError(
    "invalid_argument",
    `"${part}" has a ".." segment: a secret's path never leaves its directory.`,
  );
}
