import { isDeliveredSecretName } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { namesByDataKey } from "@flyte-secrets/store";

/** Limit of Secrets remembered: they are only used in error messages. */
const MAX_SECRETS = 1_000;

/**
 * Secrets of a namespace that have an encoded id as a data key but not the name that a Secret with that id must have.
 */
export class MisnamedSecrets {
  /** The ids in each Secret, by its name. */
  readonly #ids = new Map<string, readonly string[]>();
  /** The name of a Secret that has the id, by id. */
  readonly #holders = new Map<string, string>();

  /** The name of a Secret that has this encoded id as a data key, if there is one. */
  find(id: string): string | undefined {
    return this.#holders.get(id);
  }

  put(secret: KubeSecret): void {
    const { name } = secret.metadata;
    this.remove(name);
    if (this.#ids.size >= MAX_SECRETS || isDeliveredSecretName(name)) return;
    const ids = [...namesByDataKey(secret)].flatMap(([id, needed]) => (needed === name ? [] : id));
    if (ids.length === 0) return;
    this.#ids.set(name, ids);
    for (const id of ids) this.#holders.set(id, name);
  }

  remove(name: string): void {
    for (const id of this.#ids.get(name) ?? []) if (this.#holders.get(id) === name) this.#holders.delete(id);
    this.#ids.delete(name);
  }

  clear(): void {
    this.#ids.clear();
    this.#holders.clear();
  }
}
