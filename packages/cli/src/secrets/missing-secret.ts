import type { Config } from "@flyte-secrets/config";
import { nearestName, quote, type SecretId, type SecretScope } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import { describeScope } from "../options/secret-options.ts";
import { shellWord } from "../options/shell-word.ts";
import { withOwnStore } from "../store/own-store.ts";

/** How many scopes of a key the help names. */
const MAX_SCOPES = 3;
/** How many missing keys the help lists. */
const MAX_KEYS = 5;
const PAGE = 1_000;

export interface MissingSecretOptions {
  readonly config: Config;
  readonly cli: CliContext;
  /** The scope of the requesting task. */
  readonly scope: SecretScope;
}

/** The keys that nothing has, for a message: `secret "a" was not found`. */
export function describeMissingKeys(keys: readonly string[]): string {
  const names = keys.slice(0, MAX_KEYS).map(quote);
  const more = keys.length > MAX_KEYS ? ` and ${keys.length - MAX_KEYS} more` : "";
  return keys.length === 1 ? `secret ${names[0]} was not found` : `secrets ${names.join(", ")}${more} were not found`;
}

/**
 * Returns the help for keys that a task requests and that none of its scopes has, as lines below the message. If the
 * user's own store has the secrets, it names the other scopes with the key, or else a secret with nearly that name.
 */
export async function missingSecretHelp(keys: readonly string[], options: MissingSecretOptions): Promise<string[]> {
  const { type } = options.config.webhook.embeddedSecretManagerConfig;
  const shown = keys.slice(0, MAX_KEYS);
  if (type !== "Store" && type !== "K8s") {
    return [`  Create it in ${type} under one of the names that it was looked for by.`];
  }
  const own = await listOwnIds(options);
  const { project, domain } = options.scope;
  const flags = `-p ${shellWord(project)} -d ${shellWord(domain)}${await localFlag(options)}`;
  return [
    ...shown.flatMap((key) => describeOtherPlaces(key, own, options.scope)),
    `  Create ${shown.length === 1 ? "it" : "them"} for ${describeScope(options.scope)}:`,
    ...shown.map((key) => `    flyte-secrets create secret ${shellWord(key)} ${flags}`),
  ];
}

/** ` --local` where the command would otherwise go, or might go, to another place than this machine's own store. */
async function localFlag({ config, cli }: MissingSecretOptions): Promise<string> {
  const { embeddedSecretManagerConfig } = config.webhook;
  if (embeddedSecretManagerConfig.type !== "Store" || config.secret.store.type !== "Embedded") return "";
  try {
    const { findTarget } = await import("../remote/target.ts");
    return (await findTarget({}, cli)).kind === "endpoint" ? " --local" : "";
  } catch {
    // A configuration that counts only when it is named.
    return " --local";
  }
}

/**
 * Where else a key is that no scope of a task has, or else a secret with nearly that name, as lines below a message. None
 * where there is neither.
 */
export function describeOtherPlaces(key: string, own: readonly SecretId[], scope: SecretScope): string[] {
  const elsewhere = own.filter(({ name }) => name === key);
  return elsewhere.length > 0 ? elsewhereLines(key, elsewhere, scope) : nearLines(key, own, scope);
}

function elsewhereLines(key: string, ids: readonly SecretId[], scope: SecretScope): string[] {
  const [first] = ids;
  if (first === undefined) return [];
  const scopes = ids.slice(0, MAX_SCOPES).map((id) => describeScope(id));
  const more = ids.length > MAX_SCOPES ? `, and ${ids.length - MAX_SCOPES} more` : "";
  const flags = [`-p ${shellWord(first.project || scope.project)}`, `-d ${shellWord(first.domain)}`].join(" ");
  return [`  ${quote(key)} exists at ${scopes.join("; ")}${more}.`, `  For a task there, add: ${flags}`];
}

function nearLines(key: string, ids: readonly SecretId[], { project, domain }: SecretScope): string[] {
  const reachable = ids.filter(
    (id) => (id.domain === "" || id.domain === domain) && (id.project === "" || id.project === project),
  );
  const near = nearestName(
    key,
    reachable.map(({ name }) => name),
  );
  const id = reachable.find(({ name }) => name === near);
  return id === undefined ? [] : [`  Did you mean ${quote(id.name)} (${describeScope(id)})?`];
}

/**
 * All ids of this machine's own store; none where the secrets are elsewhere, or where the store can't be listed, since
 * that is not the failure to report.
 */
export async function listOwnIds({
  config,
  scope,
}: Pick<MissingSecretOptions, "config" | "scope">): Promise<readonly SecretId[]> {
  const found: SecretId[] = [];
  const { secret, webhook } = config;
  if (webhook.embeddedSecretManagerConfig.type !== "Store" || secret.store.type !== "Embedded") return found;
  try {
    await withOwnStore(config, async (store) => {
      let token = "";
      do {
        const everywhere = { org: scope.org, project: "", domain: "" };
        const page = await store.list({
          scope: everywhere,
          limit: PAGE,
          token,
          clusterTokens: {},
          includeSystem: false,
        });
        for (const { id } of page.entries) found.push(id);
        token = page.token;
      } while (token !== "");
    });
  } catch {
    return [];
  }
  return found;
}
