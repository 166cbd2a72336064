import { dirname } from "node:path";
import { SecretsError } from "@flyte-secrets/core";
import { type Document, parseDocument } from "yaml";
import { z } from "zod";

const text = z.string().optional();
const flag = z.boolean().optional();

const clusterSchema = z.object({
  server: z.string(),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": flag,
  "tls-server-name": text,
  "proxy-url": text,
  extensions: z.array(z.object({ name: z.string(), extension: z.unknown() })).nullish(),
});

const execSchema = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: flag,
  interactiveMode: text,
  installHint: text,
});

const userSchema = z.object({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  "as-uid": text,
  "as-groups": z.array(z.string()).nullish(),
  exec: execSchema.nullish(),
  "auth-provider": z.unknown().optional(),
});

const contextSchema = z.object({ cluster: z.string(), user: z.string().default(""), namespace: text });

const fileSchema = z.object({
  "current-context": text,
  clusters: z.array(z.object({ name: z.string(), cluster: clusterSchema })).nullish(),
  users: z.array(z.object({ name: z.string(), user: userSchema.nullish() })).nullish(),
  contexts: z.array(z.object({ name: z.string(), context: contextSchema })).nullish(),
});

/** How to run a credential plugin. */
export type KubeconfigExec = z.output<typeof execSchema>;
export type KubeconfigCluster = z.output<typeof clusterSchema>;
export type KubeconfigUser = z.output<typeof userSchema>;

/** An entry, with the directory that relative paths in it start from. */
export interface Located<T> {
  readonly value: T;
  readonly directory: string;
}

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
 * Merges kubeconfig files as kubectl does: of entries with the same name, and of current contexts, the first file's holds
 * (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/). Throws `invalid_config`.
 */
export function readKubeconfig(files: readonly KubeconfigFile[]): KubeconfigContext {
  const clusters = new Map<string, Located<KubeconfigCluster>>();
  const users = new Map<string, Located<KubeconfigUser>>();
  const contexts = new Map<string, z.output<typeof contextSchema>>();
  let current = "";
  for (const file of files) {
    const content = parseFile(file);
    const directory = dirname(file.path);
    current ||= content["current-context"] ?? "";
    for (const { name, cluster } of content.clusters ?? []) addFirst(clusters, name, { value: cluster, directory });
    for (const { name, user } of content.users ?? []) addFirst(users, name, { value: user ?? {}, directory });
    for (const { name, context } of content.contexts ?? []) addFirst(contexts, name, context);
  }
  const where = files.map(({ path }) => path).join(", ");
  if (current === "") {
    throw invalid(`${where}: there is no current context. Set one: kubectl config use-context NAME`);
  }
  const context = contexts.get(current);
  if (context === undefined) throw invalid(`${where}: the current context ${current} is not there.`);
  const cluster = clusters.get(context.cluster);
  if (cluster === undefined) throw invalid(`${where}: context ${current} names cluster ${context.cluster}, not there.`);
  const user = context.user === "" ? { value: {}, directory: "" } : users.get(context.user);
  if (user === undefined) throw invalid(`${where}: context ${current} names user ${context.user}, not there.`);
  return { name: current, namespace: context.namespace || undefined, cluster, user };
}

function parseFile({ path, text }: KubeconfigFile): z.output<typeof fileSchema> {
  // Without the snippet that the parser would quote, and without warnings, which quote keys: it may be a token.
  const document = parseDocument(text, { prettyErrors: false, logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    throw invalid(`${path}: line ${line} is not YAML (${error.code}).`);
  }
  const parsed = fileSchema.safeParse(contentOf(document, path) ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${path}: ${issue?.path.join(".")}: ${issue?.message}.`);
}

/** Aliases are followed only here. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch {
    throw invalid(`${path}: an alias or a merge key leads nowhere.`);
  }
}

function addFirst<T>(map: Map<string, T>, name: string, value: T): void {
  if (!map.has(name)) map.set(name, value);
}

function invalid(message: string): SecretsError {
  return new SecretsError("invalid_config", message);
}
