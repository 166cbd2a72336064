import {
  decodeSecretId,
  encodeSecretId,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  type SecretValue,
} from "@flyte-secrets/core";
import type { Secret } from "@flyte-secrets/kube";
import { managedId, managedValue } from "@flyte-secrets/store";
import { MisnamedSecrets } from "./misnamed-secrets.ts";

/** Names of managed Secrets are an MD5 in hex. */
const MANAGED_NAME = /^[0-9a-f]{32}$/;

/** How many changes are remembered that nobody asked for since. */
const MAX_DOUBTED = 1_000;

interface Held {
  /** The encoded id; undefined for a Secret that is called like a managed one and holds no such key. */
  readonly id: string | undefined;
  readonly version: number;
}

/** The managed Secrets of a namespace, as they are followed: those named `md5(id)` with data key `id`, whatever their labels. */
export class NamespaceSecrets {
  readonly #values = new Map<string, SecretValue>();
  readonly #held = new Map<string, Held>();
  /** What was read around the watch and is not told by it yet, by name: the version, undefined where there was none. */
  readonly #read = new Map<string, number | undefined>();
  /** What was said to have changed, by name, and when; oldest first. */
  readonly #doubted = new Map<string, number>();
  /** Counts the questions to the API server. */
  #asked = 0;
  #empty = 0;
  /** For messages. */
  readonly misnamed = new MisnamedSecrets();

  /** By encoded id. */
  get(id: string): SecretValue | undefined {
    return this.#values.get(id);
  }

  /** Whether there is a Secret of this id's name that doesn't hold it. */
  isEmpty(id: string): boolean {
    if (this.#empty === 0 || !canBeKey(id)) return false;
    const held = this.#held.get(nameOf(id));
    return held !== undefined && held.id === undefined;
  }

  /** The Secret of this id was changed: it is behind until the API server has been asked for it. */
  doubt(id: string): void {
    // Nobody will ask the API server for it.
    if (!canBeKey(id)) return;
    const name = nameOf(id);
    this.#doubted.delete(name);
    this.#doubted.set(name, this.#asked);
    const [oldest] = this.#doubted.keys();
    // The watch will tell of it, a moment later.
    if (oldest !== undefined && this.#doubted.size > MAX_DOUBTED) this.#doubted.delete(oldest);
  }

  /** The number of a question that is put to the API server now, for {@link noteRead}. */
  ask(): number {
    return ++this.#asked;
  }

  /** Takes note of what the API server answered to a question, as the watch may tell an older state next. */
  noteRead(name: string, secret: Secret | undefined, question: number): void {
    if (question > (this.#doubted.get(name) ?? question)) this.#doubted.delete(name);
    if (secret === undefined) {
      if (this.#held.has(name)) this.#read.set(name, undefined);
      else this.#read.delete(name);
    } else this.#read.set(name, Math.max(versionOf(secret), this.#read.get(name) ?? 0));
  }

  /** Whether the Secret of this id was read in a state that the watch has not told yet, or was changed since. */
  isBehind(id: string): boolean {
    if (this.#read.size === 0 && this.#doubted.size === 0) return false;
    const name = nameOf(id);
    if (this.#doubted.has(name)) return true;
    if (!this.#read.has(name)) return false;
    const read = this.#read.get(name);
    const held = this.#held.get(name);
    const isBehind = read === undefined ? held !== undefined : held === undefined || held.version < read;
    if (!isBehind) this.#read.delete(name);
    return isBehind;
  }

  onReplace(secrets: readonly Secret[]): void {
    this.#values.clear();
    this.#held.clear();
    this.misnamed.clear();
    this.#empty = 0;
    for (const secret of secrets) this.onUpsert(secret);
  }

  onUpsert(secret: Secret): void {
    const { name } = secret.metadata;
    this.misnamed.put(secret);
    if (!MANAGED_NAME.test(name)) return;
    this.#forget(name);
    const id = managedId(secret);
    const value = id && managedValue(secret, id);
    const text = id && encodeSecretId(id);
    this.#held.set(name, { id: text, version: versionOf(secret) });
    if (text === undefined || value === undefined) this.#empty++;
    else this.#values.set(text, value);
  }

  onDelete({ metadata: { name } }: Secret): void {
    this.misnamed.remove(name);
    this.#forget(name);
  }

  #forget(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    if (held.id === undefined) this.#empty--;
    else this.#values.delete(held.id);
    this.#held.delete(name);
  }
}

/** No Secret holds a longer one, even if one is called by its MD5. */
const canBeKey = (id: string) => id.length <= MAX_DATA_KEY_LENGTH;

const nameOf = (id: string) => kubernetesSecretName(decodeSecretId(id));

/** Versions of one kind of object grow with time (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions). */
const versionOf = ({ metadata }: Secret) => Number(metadata.resourceVersion ?? 0);
