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
import { createGroupRule, type GroupBinding } from "./group-binding.ts";

/**
 * Why a pod may not have what a request comes to, for the user to read; the next manager is then asked. Undefined when it may.
 * Throws what the check of the pod's claim throws, which no other manager must stand in for.
 */
export type SecretGuard = (reference: Reference, context: InjectContext) => string | undefined;

/** A secret manager that is asked only for what the pod may have. */
export function guardManager(manager: Injector, guard: SecretGuard): Injector {
  return {
    name: manager.name,
    refersTo: manager.refersTo,
    inject(request, context) {
      const reason = guard(manager.refersTo(request, context), context);
      return reason === undefined ? manager.inject(request, context) : { injected: false, reason };
    },
  };
}

export interface SecretGuardOptions {
  readonly groupBinding: GroupBinding;
  /** The namespaces of managed Secrets. */
  readonly valueNamespaces: readonly string[];
  /** All namespaces of the installation: those, the webhook's, and Flyte's. */
  readonly installationNamespaces: readonly string[];
  /** Names of the installation's own Secrets, which no request gets there. One may end with `*`. */
  readonly protectedSecrets: readonly string[];
}

/**
 * The one check in front of every way to a value: of a scope (`webhook.scopeBinding`), by a group (`webhook.groupBinding`), and by the
 * name of a Secret (W-12, W-13).
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

/** Secrets that pods get by their scope or not at all. */
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
      return `${secret} is called like those that hold the secrets of a scope, and the key is not its id: ask for the secret by its own name`;
    }
    return isProtected(name) && installation.has(namespace)
      ? `${secret} belongs to the installation (webhook.secretName, webhook.k8sSecretManager.protectedSecrets)`
      : undefined;
  };
}

/** The id of the managed Secret of this name and data key; undefined where the two make none. */
function managedIdOf(name: string, key: string): SecretId | undefined {
  try {
    const id = decodeSecretId(key);
    return kubernetesSecretName(id) === name ? id : undefined;
  } catch (error) {
    if (isSecretsError(error, "invalid_argument")) return undefined;
    throw error;
  }
}
