import {
  decodeSecretId,
  encodeSecretId,
  kubernetesSecretName,
  MAX_DATA_KEY_LENGTH,
  type SecretValue,
} from "@flyte-secrets/core";
import { type EventHandler, type KubeResource, type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { managedId, managedValue, namesByDataKey } from "@flyte-secrets/store";
import { MisnamedSecrets } from "./misnamed-secrets.ts";
import { type ObjectVersion, ReadAhead } from "./read-ahead.ts";

/** The name of a managed Secret is an MD5 in hex. */
const MANAGED_NAME = /^[0-9a-f]{32}$/;

/** Memory for values. A list that is being read may need as much again. */
const MAX_VALUE_BYTES = 64 * 1024 * 1024;
/** A value takes at most this share of the memory that is left, so that large values leave room for small ones. */
const MAX_SHARE = 1 / 16;

/** A Secret without the values that are not needed. */
interface ReadSecret extends KubeSecret {
  /** Whether the value that is needed was left out too, because there is no room for it. */
  readonly isCut?: boolean;
}

interface WatchedSecret {
  /** The encoded id; undefined for a Secret that has the name of a managed one but not its data key. */
  readonly id: string | undefined;
  readonly version: number;
}

/**
 * The managed Secrets of a namespace as a watch delivers them: those named `md5(id)` with data key `id`, whatever their
 * labels. Together with {@link ReadAhead} it knows which of them are stale. Values are kept up to a number of bytes;
 * those that do not fit are always stale.
 */
export class WatchedSecrets implements EventHandler<ReadSecret> {
  /** By encoded id. */
  readonly #values = new Map<string, SecretValue>();
  /** By name of the Secret. */
  readonly #secrets = new Map<string, WatchedSecret>();
  /** The encoded ids of secrets whose values are not kept. */
  readonly #unkept = new Set<string>();
  readonly #readAhead = new ReadAhead();
  readonly #maxBytes: number;
  /** Of the values that are kept. */
  #bytes = 0;
  /** Of the values in the list that is being read; undefined when none is. */
  #listedBytes: number | undefined;
  /** How many Secrets have no id. */
  #empty = 0;
  /** For error messages. */
  readonly misnamed = new MisnamedSecrets();
  /** Secrets of which no more is kept than is needed, and no more values in a list than there is room for. */
  readonly resource: KubeResource<ReadSecret> = { ...SECRETS, decode: (value) => this.#cut(SECRETS.decode(value)) };

  constructor({ maxBytes = MAX_VALUE_BYTES }: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = maxBytes;
  }

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
   * since, or has a value that is not kept.
   */
  isStale(id: string): boolean {
    if (this.#unkept.has(id)) return true;
    if (this.#readAhead.isEmpty) return false;
    const name = nameOf(id);
    return this.#readAhead.isStale(name, () => this.#watchedVersion(name));
  }

  onList(): void {
    this.#listedBytes = 0;
  }

  onReplace(secrets: readonly ReadSecret[]): void {
    this.#listedBytes = undefined;
    this.#bytes = 0;
    this.#values.clear();
    this.#unkept.clear();
    this.#secrets.clear();
    this.misnamed.clear();
    this.#empty = 0;
    for (const secret of secrets) this.onUpsert(secret);
  }

  onUpsert(secret: ReadSecret): void {
    const { name } = secret.metadata;
    this.misnamed.put(secret);
    if (!MANAGED_NAME.test(name)) return;
    this.#forget(name);
    const id = managedId(secret);
    const value = id && managedValue(secret, id);
    const text = id && encodeSecretId(id);
    this.#secrets.set(name, { id: text, version: versionOf(secret) });
    if (text === undefined || value === undefined) this.#empty++;
    else if (secret.isCut || !this.#fits(value.byteLength, this.#bytes)) this.#unkept.add(text);
    else {
      this.#values.set(text, value);
      this.#bytes += value.byteLength;
    }
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
    this.#secrets.delete(name);
    if (secret.id === undefined) {
      this.#empty--;
      return;
    }
    this.#bytes -= this.#values.get(secret.id)?.byteLength ?? 0;
    this.#values.delete(secret.id);
    this.#unkept.delete(secret.id);
  }

  /**
   * Leaves out what {@link onUpsert} does not need: foreign values, and the secret's own if there is no room for it.
   */
  #cut(secret: KubeSecret): ReadSecret {
    const { apiVersion, kind, metadata } = secret;
    const { name, resourceVersion } = metadata;
    const id = MANAGED_NAME.test(name) ? managedId(secret) : undefined;
    const text = id && encodeSecretId(id);
    const value = (text && secret.data?.[text]) ?? "";
    const isCut = this.#listedBytes !== undefined && !this.#fits(value.length, this.#listedBytes);
    if (this.#listedBytes !== undefined && !isCut) this.#listedBytes += value.length;
    const data = Object.fromEntries([...namesByDataKey(secret).keys()].map((key) => [key, ""]));
    if (text !== undefined) data[text] = isCut ? "" : value;
    return { apiVersion, kind, metadata: { name, ...(resourceVersion && { resourceVersion }) }, data, isCut };
  }

  #fits(bytes: number, used: number): boolean {
    return bytes <= (this.#maxBytes - used) * MAX_SHARE;
  }
}

/** No Secret can hold a longer id, even if one has the name of its MD5. */
const canBeKey = (id: string) => id.length <= MAX_DATA_KEY_LENGTH;

const nameOf = (id: string) => kubernetesSecretName(decodeSecretId(id));

const versionOf = ({ metadata }: KubeSecret) => Number(metadata.resourceVersion ?? 0);
