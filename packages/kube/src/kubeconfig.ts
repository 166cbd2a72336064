import { createRequire } from "node:module";
import { dirname } from "node:path";
import { excerpt, quote, SecretsError, withinStack } from "@flyte-secrets/core";
import type { output } from "zod/mini";
import { EXEC_VERSIONS } from "./exec-plugin.ts";
import {
  type KubeconfigCluster,
  type KubeconfigContextEntry,
  type KubeconfigExec,
  type KubeconfigUser,
  kubeconfigSchema,
  type Located,
  NO_USER,
} from "./kubeconfig-schema.ts";

// CommonJS, which can be loaded in a synchronous call: in a cluster, and without one, there is no kubeconfig.
const require = createRequire(import.meta.url);

/** What the current context of some kubeconfig files leads to. */
export interface KubeconfigContext {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly cluster: Located<KubeconfigCluster>;
  readonly user: Located<KubeconfigUser>;
}

export interface KubeconfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Merges kubeconfig files as kubectl does: of entries with the same name, and of current contexts, the first file's
 * holds (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/). Throws
 * `invalid_config`, also where the current context leads to what kubectl would refuse.
 */
export function readKubeconfig(files: readonly KubeconfigFile[]): KubeconfigContext {
  const clusters = new Map<string, Located<KubeconfigCluster>>();
  const users = new Map<string, Located<KubeconfigUser>>();
  const contexts = new Map<string, Located<KubeconfigContextEntry>>();
  let current = "";
  for (const file of files) {
    const content = parseFile(file);
    const directory = dirname(file.path);
    current ||= content["current-context"];
    addFirst(clusters, content.clusters, { directory, file, list: "clusters" });
    addFirst(users, content.users, { directory, file, list: "users" });
    addFirst(contexts, content.contexts, { directory, file, list: "contexts" });
  }
  const where = files.map(({ path }) => path).join(", ");
  if (current === "") {
    throw invalid(`${where}: there is no current context. Set one: kubectl config use-context NAME`);
  }
  const context = contexts.get(current)?.value;
  if (context === undefined) throw invalid(`${where}: the current context ${quote(current)} is not there.`);
  const find = <T>(kind: string, name: string, entries: ReadonlyMap<string, T>): T => {
    const found = entries.get(name);
    if (found !== undefined) return found;
    throw invalid(`${where}: context ${quote(current)} names ${kind} ${quote(name)}, which is not there.`);
  };
  const cluster = find("cluster", context.cluster, clusters);
  const user = context.user === "" ? { value: NO_USER, directory: "" } : find("user", context.user, users);
  const problem = validateContext(cluster.value, user.value);
  if (problem !== undefined) throw invalid(`${where}: context ${quote(current)}: ${problem}.`);
  return { name: current, namespace: context.namespace || undefined, cluster, user };
}

function parseFile({ path, text }: KubeconfigFile): output<typeof kubeconfigSchema> {
  const document = firstDocument(text, path);
  const error = document?.errors[0];
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    throw invalid(`${path}: line ${line} is not YAML (${error.code}).`);
  }
  const parsed = kubeconfigSchema.safeParse(contentOf(document, path) ?? {});
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${path}: ${excerpt(issue?.path.join(".") ?? "")}: ${issue?.message}.`);
  }
  const { apiVersion, kind } = parsed.data;
  if (kind !== "" && kind !== "Config") throw invalid(`${path}: the kind is ${quote(kind)}; a kubeconfig's is Config.`);
  if (apiVersion !== "" && apiVersion !== "v1")
    throw invalid(`${path}: the apiVersion is ${quote(apiVersion)}, not v1.`);
  return parsed.data;
}

/** The first document alone, with merge keys, and of keys given twice the last, as kubectl has it. */
function firstDocument(text: string, path: string) {
  // Without the snippet that the parser would quote, and without warnings, which quote keys: it may be a token.
  const options = { prettyErrors: false, logLevel: "error", merge: true, uniqueKeys: false } as const;
  const { parseAllDocuments }: typeof import("yaml") = require("yaml");
  return withinStack(
    () => parseAllDocuments(text, options)[0],
    () => invalid(`${path}: its YAML is nested too deeply.`),
  );
}

/** Aliases are followed only here. */
function contentOf(document: { toJS(): unknown } | undefined, path: string): unknown {
  try {
    return document?.toJS();
  } catch {
    throw invalid(`${path}: an alias or a merge key leads nowhere.`);
  }
}

interface EntriesPlace {
  readonly directory: string;
  readonly file: KubeconfigFile;
  readonly list: string;
}

function addFirst<T>(
  map: Map<string, Located<T>>,
  entries: readonly (readonly [string, T])[],
  { directory, file, list }: EntriesPlace,
): void {
  const own = new Set<string>();
  for (const [name, value] of entries) {
    if (own.has(name)) throw invalid(`${file.path}: ${list} has ${quote(name)} twice. Rename or remove one of them.`);
    own.add(name);
    if (!map.has(name)) map.set(name, { value, directory });
  }
}

function invalid(message: string): SecretsError {
  return new SecretsError("invalid_config", message);
}

/**
 * Returns why kubectl refuses the current context's cluster and user, missing files aside; undefined when they are
 * valid. kubectl documents for some of these that one of two settings wins, and refuses them all the same.
 */
function validateContext(cluster: KubeconfigCluster, user: KubeconfigUser): string | undefined {
  return validateCluster(cluster) ?? validateUser(user) ?? (user.exec ? validateExec(user.exec) : undefined);
}

function validateCluster(cluster: KubeconfigCluster): string | undefined {
  const { server, "proxy-url": proxy, "insecure-skip-tls-verify": isInsecure } = cluster;
  if (server === "") return "its cluster has no server";
  if (proxy !== "") return "proxy-url is not supported; reach the API server directly";
  const twice = bothOf(cluster, "certificate-authority-data", "certificate-authority");
  if (twice !== undefined) return twice;
  const hasCa = cluster["certificate-authority-data"] !== "" || cluster["certificate-authority"] !== "";
  return isInsecure && hasCa ? "insecure-skip-tls-verify and a certificate-authority exclude each other" : undefined;
}

function validateUser(user: KubeconfigUser): string | undefined {
  if (user.token !== "" && (user.username !== "" || user.password !== "")) {
    return "its user has both a token and a name or password; only one is allowed";
  }
  const twice =
    bothOf(user, "client-certificate-data", "client-certificate") ?? bothOf(user, "client-key-data", "client-key");
  const hasCertificate = user["client-certificate-data"] !== "" || user["client-certificate"] !== "";
  const hasKey = user["client-key-data"] !== "" || user["client-key"] !== "";
  if (hasCertificate && twice !== undefined) return twice;
  if (hasCertificate && !hasKey) return "its user has a client-certificate and no client-key";
  const standsFor =
    user["as-uid"] !== "" || user["as-groups"].length > 0 || Object.keys(user["as-user-extra"]).length > 0;
  if (user.as === "" && standsFor) return "its user has as-uid, as-groups or as-user-extra without as";
  if (user["auth-provider"] === undefined || user["auth-provider"] === null) return undefined;
  return "auth-provider is not supported, as in current kubectl for most; use an exec plugin";
}

function validateExec({ command, apiVersion, interactiveMode, env }: KubeconfigExec): string | undefined {
  if (command === "") return "its credential plugin has no command";
  if (!EXEC_VERSIONS.includes(apiVersion)) {
    return `its credential plugin has apiVersion ${quote(apiVersion)}, which is none of ${EXEC_VERSIONS.join(", ")}`;
  }
  if (env.some(({ name }) => name === "")) return "its credential plugin has a variable without a name";
  switch (interactiveMode) {
    case "Never":
    case "IfAvailable":
      return undefined;
    case "Always":
      return "its credential plugin wants a terminal (interactiveMode Always)";
    case "":
      if (apiVersion.endsWith("/v1beta1")) return undefined;
      return "its credential plugin has no interactiveMode; set it to Never or IfAvailable";
    default:
      return (
        `its credential plugin has interactiveMode ${quote(interactiveMode)}, which is none of Never, IfAvailable, ` +
        "Always"
      );
  }
}

function bothOf<Name extends string>(
  entry: Readonly<Record<Name, string>>,
  data: Name,
  file: Name,
): string | undefined {
  return entry[data] !== "" && entry[file] !== "" ? `${data} and ${file} are both set; remove one of them` : undefined;
}
