import {
  decodeSecretId,
  encodeSecretId,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  type SecretValue,
} from "@flyte-secrets/core";
import type { EventHandler, KubeSecret } from "@flyte-secrets/kube";
import { managedId, managedValue } from "@flyte-secrets/store";
import { MisnamedSecrets } from "./misnamed-secrets.ts";
import { type ObjectVersion, ReadAhead } from "./read-ahead.ts";

/** The name of a managed Secret is an MD5 in hex. */
const MANAGED_NAME = /^[0-9a-f]{32}$/;

interface WatchedSecret {
  /** The encoded id; undefined for a Secret that has the name of a managed one but not its data key. */
  readonly id: string | undefined;
  readonly version: number;
}

/**
 * The managed Secrets of a namespace as a watch delivers them: those named `md5(id)` with data key `id`, whatever their
 * labels. Together with {@link ReadAhead} it knows which of them are stale.
 */
export class WatchedSecrets implements EventHandler<KubeSecret> {
  /** By encoded id. */
  readonly #values = new Map<string, SecretValue>();
  /** By name of the Secret. */
  readonly #secrets = new Map<string, WatchedSecret>();
  readonly #readAhead = new ReadAhead();
  /** How many Secrets have no id. */
  #empty = 0;
  /** For error messages. */
  readonly misnamed = new MisnamedSecrets();

  /** The value of an encoded id. */
  get(id: string): SecretValue | undefined {
    return this.#values.get(id);
  }

  /** Whether there is a Secret with the name of this id that does not hold it. */
  isEmpty(id: string): boolean {
    if (this.#empty === 0 || !canBeKey(id)) return false;
    const secret = this.#secrets.get(nameOf(id));
    return secret !== undefined && secret.id === undefined;
  }

  /** The secret of this id was changed: it is stale until it has been read from the API server. */
  markStale(id: string): void {
    // Nobody reads a Secret for an id that none can hold.
    if (canBeKey(id)) this.#readAhead.markStale(nameOf(id));
  }

  /** The number of a read from the API server that begins now, for {@link recordRead}. */
  beginRead(): number {
    return this.#readAhead.beginRead();
  }

  /** Records what the API server answered to a read, because the next watch event may be older. */
  recordRead(name: string, secret: KubeSecret | undefined, read: number): void {
    const version = secret === undefined ? "absent" : versionOf(secret);
    this.#readAhead.recordRead(name, version, { read, watched: this.#watchedVersion(name) });
  }

  /**
   * Whether the Secret of this id was read in a state that the watch has not delivered, or was changed and not read
   * since.
   */
  isStale(id: string): boolean {
    if (this.#readAhead.isEmpty) return false;
    const name = nameOf(id);
    return this.#readAhead.isStale(name, () => this.#watchedVersion(name));
  }

  onReplace(secrets: readonly KubeSecret[]): void {
    this.#values.clear();
    this.#secrets.clear();
    this.misnamed.clear();
    this.#empty = 0;
    for (const secret of secrets) this.onUpsert(secret);
  }

  onUpsert(secret: KubeSecret): void {
    const { name } = secret.metadata;
    this.misnamed.put(secret);
    if (!MANAGED_NAME.test(name)) return;
    this.#forget(name);
    const id = managedId(secret);
    const value = id && managedValue(secret, id);
    const text = id && encodeSecretId(id);
    this.#secrets.set(name, { id: text, version: versionOf(secret) });
    if (text === undefined || value === undefined) this.#empty++;
    else this.#values.set(text, value);
  }

  onDelete({ metadata: { name } }: KubeSecret): void {
    this.misnamed.remove(name);
    this.#forget(name);
  }

  #watchedVersion(name: string): ObjectVersion {
    return this.#secrets.get(name)?.version ?? "absent";
  }

  #forget(name: string): void {
    const secret = this.#secrets.get(name);
    if (secret === undefined) return;
    if (secret.id === undefined) this.#empty--;
    else this.#values.delete(secret.id);
    this.#secrets.delete(name);
  }
}

/** No Secret can hold a longer id, even if one has the name of its MD5. */
const canBeKey = (id: string) => id.length <= MAX_DATA_KEY_LENGTH;

const nameOf = (id: string) => kubernetesSecretName(decodeSecretId(id));

const versionOf = ({ metadata }: KubeSecret) => Number(metadata.resourceVersion ?? 0);
