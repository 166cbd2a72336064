import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { otherWriter, SecretsError } from "@flyte-secrets/core";
import type { Assignment } from "./assignment.ts";
import { parseConfigText } from "./config-files.ts";

/**
 * The settings, and sections with a dot at the end, that a file may give that no user has named: names, numbers,
 * logging and caching. None of them decides where data goes or comes from, or who may do what. Every other setting
 * needs the user's consent.
 */
export const FOUND_FILE_SETTINGS: readonly string[] = [
  "secret.organization",
  "secret.server.port",
  "webhook.listenPort",
  "webhook.secretEnvVarPrefix",
  "webhook.secretEnvVarNaming",
  "webhook.webhookTimeout",
  "cache.",
  "logger.",
  "otel.sampler.",
];

export interface FoundFileOptions {
  readonly cwd: string;
  readonly warn: (message: string) => void;
}

/**
 * Reads the assignments of a file that was found in the current directory. Anybody may have put it there: an archive
 * that was unpacked, or another user of a shared directory. A file that others than this user and root can write is
 * ignored with a warning (C-3).
 * @throws SecretsError `invalid_config` when it gives a setting that is not one of {@link FOUND_FILE_SETTINGS}, and as
 * `readConfigFile` does.
 */
export function readFoundFile(file: string, { cwd, warn }: FoundFileOptions): Assignment[] {
  const path = resolve(cwd, file);
  const found = readFoundBytes(path);
  if (found === undefined) return [];
  if ("bytes" in found) return withoutConsent(file, parseConfigText(found.bytes, file));
  warn(`${path} is left out: ${found.writer}. To use it all the same, name it: --config ${file}`);
  return [];
}

/** The content of a file, or who else than this user and root may have written it. */
export type FoundBytes = { readonly bytes: Uint8Array } | { readonly writer: string };

/**
 * Reads a file that was found and not named, unless others than this user and root can write or replace it. Undefined
 * where there is none of that path, or something else than a file. No more than `maxBytes` and one byte are read.
 */
export function readFoundBytes(path: string, maxBytes = Number.POSITIVE_INFINITY): FoundBytes | undefined {
  if (!existsSync(path)) return undefined;
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) return undefined;
    const user = process.geteuid?.();
    const writer =
      otherWriter(stats, user) ?? otherWriter(lstatSync(path), user) ?? directoryWriter(dirname(path), user);
    if (writer !== undefined) return { writer };
    if (stats.size <= maxBytes) return { bytes: readFileSync(descriptor) };
    const bytes = new Uint8Array(maxBytes + 1);
    return { bytes: bytes.subarray(0, readSync(descriptor, bytes)) };
  } finally {
    closeSync(descriptor);
  }
}

/** In a sticky directory (`/tmp`) others can add files, and can't replace this one. */
function directoryWriter(directory: string, user: number | undefined): string | undefined {
  const { uid, gid, mode } = statSync(directory);
  const writer = otherWriter({ uid, gid, mode: (mode & STICKY) === 0 ? mode : 0 }, user);
  return writer && `its directory isn't this user's: ${writer}`;
}

const STICKY = 0o1000;

function withoutConsent(file: string, assignments: Assignment[]): Assignment[] {
  const mayGive = (path: string) =>
    FOUND_FILE_SETTINGS.some((allowed) => (allowed.endsWith(".") ? path.startsWith(allowed) : path === allowed));
  const refused = assignments.find(({ path }) => !mayGive(path));
  if (refused === undefined) return assignments;
  throw new SecretsError(
    "invalid_config",
    `${refused.origin}: ${refused.path} is not for a file to give that was only found in the current directory: it ` +
      `says where something goes or comes from, or who may do what. To consent, name the file: --config ${file}`,
  );
}
