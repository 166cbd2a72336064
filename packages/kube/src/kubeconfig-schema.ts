import * as z from "zod/mini";

const aText = z.string({ error: "must be text" });
const MAP = { error: "must be a map" };
const listOf = <T extends z.core.$ZodType>(item: T) => z.array(item, { error: "must be a list" });

/** kubectl takes null for everything, as if it weren't there. */
function orElse<T, const E>(type: z.ZodMiniType<T>, otherwise: E) {
  return z.pipe(
    z.nullish(type),
    z.transform((value) => value ?? otherwise),
  );
}

const text = orElse(aText, "");
const flag = z.pipe(
  z.transform((value) => (typeof value === "string" ? (YAML_1_1_FLAGS.get(value.toLowerCase()) ?? value) : value)),
  orElse(z.boolean({ error: "must be true or false" }), false),
);
const texts = orElse(listOf(text), []);

/** kubectl reads YAML 1.1, where these are no text. */
const YAML_1_1_FLAGS = new Map([
  ["yes", true],
  ["y", true],
  ["on", true],
  ["no", false],
  ["n", false],
  ["off", false],
]);

const clusterSchema = z.object(
  {
    server: text,
    "certificate-authority": text,
    "certificate-authority-data": text,
    "insecure-skip-tls-verify": flag,
    "tls-server-name": text,
    "proxy-url": text,
    "disable-compression": flag,
    extensions: z.nullish(listOf(z.object({ name: text, extension: z.unknown() }, MAP))),
  },
  MAP,
);

const execSchema = z.object(
  {
    apiVersion: text,
    command: text,
    args: texts,
    env: orElse(listOf(z.object({ name: text, value: text }, MAP)), []),
    provideClusterInfo: flag,
    interactiveMode: text,
    installHint: text,
  },
  MAP,
);

const userSchema = z.object(
  {
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
    "as-user-extra": orElse(z.record(z.string(), texts, MAP), {}),
    exec: z.nullish(execSchema),
    "auth-provider": z.optional(z.unknown()),
  },
  MAP,
);

const contextSchema = z.object({ cluster: text, user: text, namespace: text }, MAP);

/**
 * A kubeconfig file (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/) as far as we use it: what is
 * absent, or null, is empty.
 */
export const kubeconfigSchema = z.object(
  {
    apiVersion: text,
    kind: text,
    "current-context": text,
    clusters: namedList("cluster", clusterSchema),
    users: namedList("user", userSchema),
    contexts: namedList("context", contextSchema),
  },
  MAP,
);

/** How to run a credential plugin. */
export type KubeconfigExec = z.output<typeof execSchema>;
export type KubeconfigCluster = z.output<typeof clusterSchema>;
export type KubeconfigUser = z.output<typeof userSchema>;
export type KubeconfigContextEntry = z.output<typeof contextSchema>;

/** A user of whom nothing is known. */
export const NO_USER: KubeconfigUser = userSchema.parse({});

/** Entries of the form `{name: ..., cluster: {...}}`, as pairs of name and value. */
function namedList<Value extends z.ZodMiniType>(member: string, value: Value) {
  const found = z.pipe(
    z.transform((given: unknown): unknown => given ?? {}),
    value,
  );
  const entries = orElse(listOf(z.object({ name: text, [member]: found }, MAP)), []);
  return z.pipe(
    entries,
    z.transform((all) => all.map((each) => [each.name, each[member]] as [string, z.output<Value>])),
  );
}

/** An entry, with the directory that relative paths in it start from. */
export interface Located<T> {
  readonly value: T;
  readonly directory: string;
}
