import { z } from "zod";

// kubectl takes null for everything, as if it weren't there.
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const flag = z
  .preprocess(
    (value) => (typeof value === "string" ? (YAML_1_1_FLAGS.get(value.toLowerCase()) ?? value) : value),
    z.boolean().nullish(),
  )
  .transform((value) => value ?? false);
const texts = z
  .array(text)
  .nullish()
  .transform((values) => values ?? []);

/** kubectl reads YAML 1.1, where these are no text. */
const YAML_1_1_FLAGS = new Map([
  ["yes", true],
  ["y", true],
  ["on", true],
  ["no", false],
  ["n", false],
  ["off", false],
]);

const clusterSchema = z.object({
  server: text,
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": flag,
  "tls-server-name": text,
  "proxy-url": text,
  "disable-compression": flag,
  extensions: z.array(z.object({ name: text, extension: z.unknown() })).nullish(),
});

const execSchema = z.object({
  apiVersion: text,
  command: text,
  args: texts,
  env: z
    .array(z.object({ name: text, value: text }))
    .nullish()
    .transform((variables) => variables ?? []),
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
  "as-groups": texts,
  "as-user-extra": z
    .record(z.string(), texts)
    .nullish()
    .transform((extra) => extra ?? {}),
  exec: execSchema.nullish(),
  "auth-provider": z.unknown().optional(),
});

const contextSchema = z.object({ cluster: text, user: text, namespace: text });

/**
 * A kubeconfig file (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/) as far as we use it: what is
 * absent, or null, is empty.
 */
export const kubeconfigSchema = z.object({
  apiVersion: text,
  kind: text,
  "current-context": text,
  clusters: namedList("cluster", clusterSchema),
  users: namedList("user", userSchema),
  contexts: namedList("context", contextSchema),
});

/** How to run a credential plugin. */
export type KubeconfigExec = z.output<typeof execSchema>;
export type KubeconfigCluster = z.output<typeof clusterSchema>;
export type KubeconfigUser = z.output<typeof userSchema>;
export type KubeconfigContextEntry = z.output<typeof contextSchema>;

/** A user of whom nothing is known. */
export const NO_USER: KubeconfigUser = userSchema.parse({});

/** Entries of the form `{name: ..., cluster: {...}}`, as pairs of name and value. */
function namedList<Value extends z.ZodType>(member: string, value: Value) {
  const entry = z.object({ name: text, [member]: z.preprocess((found) => found ?? {}, value) });
  return z
    .array(entry)
    .nullish()
    .transform((entries) => (entries ?? []).map((each) => [each.name, each[member]] as [string, z.output<Value>]));
}

/** An entry, with the directory that relative paths in it start from. */
export interface Located<T> {
  readonly value: T;
  readonly directory: string;
}
