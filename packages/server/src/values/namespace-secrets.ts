import { decodeSecretId, encodeSecretId, kubernetesSecretName, type SecretValue } from "@flyte-secrets/core";
import type { Secret } from "../kube/kube-object.ts";
import { managedId, managedValue } from "../store/kubernetes/managed-secret.ts";

/** Names of managed Secrets are an MD5 in hex (spec page 1). */
const MANAGED_NAME = /^[0-9a-f]{32}$/;

/** The managed Secrets of a namespace, as they are followed: those named `md5(id)` with data key `id`, whatever their labels. */
export class NamespaceSecrets {
  readonly #values = new Map<string, SecretValue>();
  /** What each Secret holds; undefined for one that is called like a managed one and holds no such key. */
  readonly #ids = new Map<string, string | undefined>();
  #empty = 0;

  /** By encoded id. */
  get(id: string): SecretValue | undefined {
    return this.#values.get(id);
  }

  /** Whether there is a Secret of this id's name that doesn't hold it. */
  isEmpty(id: string): boolean {
    if (this.#empty === 0) return false;
    const name = kubernetesSecretName(decodeSecretId(id));
    return this.#ids.has(name) && this.#ids.get(name) === undefined;
  }

  replace(secrets: readonly Secret[]): void {
    this.#values.clear();
    this.#ids.clear();
    this.#empty = 0;
    for (const secret of secrets) this.put(secret);
  }

  put(secret: Secret): void {
    const { name } = secret.metadata;
    if (!MANAGED_NAME.test(name)) return;
    this.remove(secret);
    const id = managedId(secret);
    const value = id && managedValue(secret, id);
    this.#ids.set(name, id && encodeSecretId(id));
    if (id === undefined || value === undefined) this.#empty++;
    else this.#values.set(encodeSecretId(id), value);
  }

  remove({ metadata: { name } }: Secret): void {
    if (!this.#ids.has(name)) return;
    const id = this.#ids.get(name);
    if (id === undefined) this.#empty--;
    else this.#values.delete(id);
    this.#ids.delete(name);
  }
}
