import { existsSync, readdirSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Config } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { describeTarget, findTarget, ownStoreTarget } from "../remote/target.ts";
import { withOwnStore } from "../store/own-store.ts";
import { type Finding, note, ok, problem } from "./finding.ts";

/** Whether the data directory and the files in it that must be this user's alone are so. */
export function checkFiles({ secret }: Config): Finding[] {
  const { path } = secret.store;
  if (!exists(path)) return [note(`${path} is not there yet; flyte-secrets serve makes it`)];
  const names = ["store.db", "master.key", "server.json", "server.sock", "flyte.yaml"];
  const files = [...names.map((name) => join(path, name)), secret.auth.tokenFile].filter(exists);
  const others = [
    ...findFiles(path, STORE_FILES),
    ...CERTIFICATES.flatMap((name) => findFiles(join(path, name), CERTIFICATE_FILES)),
  ];
  return [
    checkPrivate(path, 0o700),
    ...files.map((file) => checkPrivate(file, 0o600)),
    // There may be many: those in order are not worth a line each.
    ...others
      .filter((file) => !files.includes(file))
      .map((file) => checkPrivate(file, 0o600))
      .filter(({ state }) => state === "problem"),
  ];
}

/**
 * All keys: present, former, of a rotation that was cut off, and copies under such a name. SQLite's files have their
 * database's mode.
 */
const STORE_FILES = /^(master\.key(\..+)?|server\.lock|token)$/;
/** Directories of the webhook's certificate and of the service's. */
const CERTIFICATES = ["webhook", "tls"];
const CERTIFICATE_FILES = /\.(pem|key)$/;

function findFiles(directory: string, names: RegExp): string[] {
  const files = readNames(directory).filter((name) => names.test(name));
  return files.map((name) => join(directory, name)).filter((file) => exists(file) && !statSync(file).isDirectory());
}

function readNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Missing or owned by another user: checkFiles reports that.
    return [];
  }
}

function checkPrivate(path: string, mode: number): Finding {
  const stats = statSync(path);
  const { uid } = userInfo();
  const wanted = mode.toString(8);
  const found = (stats.mode & 0o777).toString(8);
  // Windows has neither owners nor modes to check here.
  if (uid === -1) return ok(`${path} is there`);
  if (stats.uid !== uid) {
    return problem(`${path} belongs to user ${stats.uid}`, `run as that user, or: chown ${uid} ${path}`);
  }
  if ((stats.mode & 0o077) !== 0) {
    return problem(`${path} is open to other users (mode 0${found})`, `chmod ${wanted} ${path}`);
  }
  return ok(`${path} is for this user alone (mode 0${found})`);
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Whether the store opens with its master key and answers. */
export async function checkStore(config: Config): Promise<Finding> {
  if (config.secret.store.type === "Kubernetes") return note("the store is in a cluster: doctor --cluster looks at it");
  const file = join(config.secret.store.path, "store.db");
  if (!existsSync(file)) return note("no store yet; flyte-secrets create secret NAME makes one");
  try {
    await withOwnStore(config, (store) => store.check());
    return ok("the store opens with its master key");
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    return problem(`the store does not open`, error.message);
  }
}

/** Where this user's commands on secrets go without an option, and what names that place. */
export async function checkTarget(cli: CliContext): Promise<Finding[]> {
  try {
    const target = await findTarget({}, cli);
    const where = describeTarget(target, cli);
    if (target.kind !== "endpoint") return [ok(`create, get and the like go to ${where}`)];
    if (target.besides === undefined) return [note(`create, get and the like go to ${where}`)];
    const own = describeTarget(ownStoreTarget(target.besides), cli);
    return [
      note(`two places are known: ${where}, and ${own}`),
      note("get asks the first; create, update, delete and import want to be told: --local or --endpoint"),
    ];
  } catch (error) {
    // Told by the checks of the files and the server.
    if (isSecretsError(error, "unsafe_permissions") || isSecretsError(error, "call_refused")) return [];
    if (!isSecretsError(error)) throw error;
    return [problem(error.message, "until then, say where with --local or --endpoint")];
  }
}
