import {
  decodeSecretId,
  isDeliveredSecretName,
  isImagePullSecretName,
  isSecretsError,
  kubernetesSecretName,
  quote,
  type SecretId,
} from "@flyte-secrets/core";
import type { InjectContext, Injector, Reference } from "@flyte-secrets/inject";

/**
 * Returns why a pod may not have the secret that a request refers to, as a text for the user, after which the next
 * manager is tried; undefined when it may. Throws the refusal of the pod's claim, after which no other manager may be
 * tried.
 */
export type SecretGuard = (reference: Reference, context: InjectContext) => string | undefined;

/** Puts a guard in front of a secret manager. */
export function guardManager(manager: Injector, guard: SecretGuard): Injector {
  return {
    name: manager.name,
    refersTo: manager.refersTo,
    inject(request, context) {
      const reason = guard(manager.refersTo(request, context), context);
      return reason === undefined ? manager.inject(request, context) : { injected: false, reason, refused: true };
    },
  };
}

export interface SecretGuardOptions {
  readonly groupBinding: GroupBinding;
  /** The namespaces of managed Secrets. */
  readonly valueNamespaces: readonly string[];
  /** All namespaces of the installation: `valueNamespaces`, the webhook's and Flyte's. */
  readonly installationNamespaces: readonly string[];
  /** Names of the installation's own Secrets, which no request may refer to. A name may end with `*`. */
  readonly protectedSecrets: readonly string[];
}

/**
 * The only check before any access to a value: by scope (`webhook.scopeBinding`), by group (`webhook.groupBinding`) and
 * by the name of a Secret (W-12, W-13).
 */
export function createSecretGuard(options: SecretGuardOptions): SecretGuard {
  const groupRule = createGroupRule(options.groupBinding);
  const secretRule = createSecretRule(options);
  return (reference, { namespace, claim }) => {
    switch (reference.kind) {
      case "nothing":
        return undefined;
      case "scope":
        claim?.check();
        return undefined;
      case "group":
      case "variable":
        return groupRule(reference, namespace);
      case "kubernetesSecret": {
        const { name, key, isGroup } = reference;
        const id = managedIdOf(name, key);
        if (id !== undefined) claim?.check(id);
        const reason = id === undefined ? secretRule(reference, namespace) : undefined;
        return reason ?? (isGroup ? groupRule({ kind: "group", group: name }, namespace) : undefined);
      }
    }
  };
}

type KubernetesSecretReference = Extract<Reference, { kind: "kubernetesSecret" }>;

/** Names of managed Secrets are an MD5 in hex. */
const MANAGED_NAME = /^[0-9a-f]{32}$/;

/** Refuses Secrets that pods may have only by their scope, or not at all. */
function createSecretRule({ valueNamespaces, installationNamespaces, protectedSecrets }: SecretGuardOptions) {
  const values = new Set(valueNamespaces);
  const installation = new Set(installationNamespaces);
  const isProtected = (name: string) =>
    protectedSecrets.some((pattern) =>
      pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    );

  return ({ name, key, isGroup }: KubernetesSecretReference, namespace: string): string | undefined => {
    if (!isGroup) {
      return /^u__org__/i.test(key) ? "the key begins like the id of a secret and is none" : undefined;
    }
    const secret = `Secret ${quote(name)} of namespace ${quote(namespace)}`;
    if (isDeliveredSecretName(name) || isImagePullSecretName(name)) {
      return `${secret} was written for other pods: ask for its secret by its own name`;
    }
    if (MANAGED_NAME.test(name) && values.has(namespace)) {
      return (
        `${secret} is called like those that hold the secrets of a scope, and the key is not its id: ask for the ` +
        "secret by its own name"
      );
    }
    return isProtected(name) && installation.has(namespace)
      ? `${secret} belongs to the installation (webhook.secretName, webhook.k8sSecretManager.protectedSecrets)`
      : undefined;
  };
}

/**
 * Returns the id of the managed Secret with this name and data key; undefined if they are not those of a managed
 * Secret.
 */
function managedIdOf(name: string, key: string): SecretId | undefined {
  try {
    const id = decodeSecretId(key);
    return kubernetesSecretName(id) === name ? id : undefined;
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return undefined;
    throw error;
  }
}

/**
 * `webhook.groupBinding`: the groups that pods of each namespace may name. The namespace `*` stands for all that are
 * not listed; a group may end with `*`, which matches any rest.
 */
export type GroupBinding = Readonly<Record<string, readonly string[]>>;

/** A reference by group; for a Kubernetes Secret the group is its name. */
export type GroupReference = Extract<Reference, { kind: "group" | "variable" }>;

/** Returns why pods of a namespace may not have the secret of a reference; undefined when they may. */
export type GroupRule = (reference: GroupReference, namespace: string) => string | undefined;

/** A namespace without an entry in `binding`, and without one for `*`, may name any group. */
export function createGroupRule(binding: GroupBinding): GroupRule {
  const namespaces = new Map(Object.entries(binding));
  return (reference, namespace) => {
    const allowed = namespaces.get(namespace) ?? namespaces.get("*");
    if (allowed === undefined) return undefined;
    const { group } = reference;
    const whole = reference.kind === "group" ? (reference.whole ?? group) : group;
    if (!allowed.some((pattern) => matches(group, pattern) || matches(whole, pattern))) {
      const where = `webhook.groupBinding allows in namespace ${quote(namespace)}`;
      return `group ${quote(group)} is not among those that ${where}`;
    }
    const unclear = reference.kind === "group" ? reference.unclear : otherGroup(reference.name, allowed);
    return unclear && `webhook.groupBinding can't tell for namespace ${quote(namespace)}: ${unclear}`;
  };
}

function matches(group: string, pattern: string): boolean {
  return pattern.endsWith("*") ? group.startsWith(pattern.slice(0, -1)) : group === pattern;
}

/** Finds a group that is not allowed and makes the same variable: each `_` may separate group and key. */
function otherGroup(variable: string, allowed: readonly string[]): string | undefined {
  let anyFrom = Number.POSITIVE_INFINITY;
  const exact = new Set<number>();
  for (const pattern of allowed) {
    const begin = pattern.replace(/\*$/, "").toUpperCase();
    if (!variable.startsWith(begin)) continue;
    if (pattern.endsWith("*")) anyFrom = Math.min(anyFrom, begin.length);
    else exact.add(begin.length);
  }
  for (let at = variable.indexOf("_", 1); at >= 0; at = variable.indexOf("_", at + 1)) {
    if (at >= anyFrom || exact.has(at) || at === variable.length - 1) continue;
    const other = quote(variable.slice(0, at));
    return `the variable of this group and key is that of group ${other} as well, which is not allowed there`;
  }
  return undefined;
}
