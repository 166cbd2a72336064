import type { ListRequest, SecretId, StoreChange } from "@flyte-secrets/core";
import type { EventHandler } from "@flyte-secrets/kube";
import type { ManagedRecord } from "./managed-record.ts";
import { type IndexPage, type IndexQuery, RecordIndex } from "./record-index.ts";

/** Deleted Secrets whose deletion the watch has not delivered; normally it does so within milliseconds. */
const MAX_DELETED = 10_000;

export interface WatchedRecordsOptions {
  /** Receives each change once. Must not throw. */
  readonly onChange: (change: StoreChange) => void;
  /** Receives a Secret that holds no secret, each time that it has changed. */
  readonly onMisnamed: (object: ManagedRecord) => void;
}

/**
 * The managed Secrets of a namespace without their values, as a watch delivers them, and ahead of it as this process
 * wrote or read them: a state is never replaced by an older one, whichever comes first.
 */
export class WatchedRecords implements EventHandler<ManagedRecord> {
  readonly #options: WatchedRecordsOptions;
  /** By name of the Secret. */
  readonly #objects = new Map<string, ManagedRecord>();
  /** The ids of Secrets that have lost theirs, by name of the Secret. */
  readonly #formerIds = new Map<string, SecretId>();
  /** The last version of Secrets that are known to be deleted before the watch has delivered that; oldest first. */
  readonly #deleted = new Map<string, number>();
  /** By organization, domain and project, with an empty domain or project for all. */
  readonly #indexes = new Map<string, RecordIndex>();
  /** The version up to which the watch has delivered everything. */
  #delivered = 0;
  #hasSynced = false;

  constructor(options: WatchedRecordsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(name: string): ManagedRecord | undefined {
    return this.#objects.get(name);
  }

  /** One page of the records in a scope, in the order of the names of their Secrets. */
  page({ org, domain, project }: ListRequest["scope"], query: IndexQuery): IndexPage {
    return this.#indexes.get(indexKey(org, domain, project))?.page(query) ?? { entries: [], next: undefined };
  }

  onReplace(objects: readonly ManagedRecord[], resourceVersion: string): void {
    const listed = new Set(objects.map(({ metadata }) => metadata.name));
    const version = Number(resourceVersion);
    if (version < this.#delivered) this.#forgetAll();
    // What is newer than the list was written while it was read.
    for (const [name, object] of [...this.#objects]) {
      if (!listed.has(name) && versionOf(object) <= version) this.#remove(name);
    }
    for (const [name, deleted] of this.#deleted) {
      if (!listed.has(name) && deleted <= version) this.#deleted.delete(name);
    }
    for (const object of objects) this.#put(object);
    this.#delivered = version;
    if (this.#hasSynced) return;
    this.#hasSynced = true;
    this.#options.onChange({ kind: "reset" });
  }

  onUpsert(object: ManagedRecord): void {
    this.#put(object);
    this.#delivered = versionOf(object);
  }

  /**
   * Records a Secret as a call read or wrote it. The answer to the call may come after the watch has delivered that the
   * Secret was deleted since, or that it is managed no more.
   */
  record(object: ManagedRecord): void {
    if (this.#objects.has(object.metadata.name) || versionOf(object) > this.#delivered) this.#put(object);
  }

  #put(object: ManagedRecord): void {
    const { name } = object.metadata;
    const before = this.#objects.get(name);
    const version = versionOf(object);
    if (before !== undefined && versionOf(before) >= version) return;
    if ((this.#deleted.get(name) ?? -1) >= version) return;
    this.#deleted.delete(name);
    const id = object.record?.id ?? before?.record?.id ?? this.#formerIds.get(name);
    this.#unindex(before, object);
    this.#objects.set(name, object);
    for (const key of indexKeys(object)) this.#indexOf(key).put(object);
    if (object.record === undefined) {
      this.#options.onMisnamed(object);
      if (id !== undefined) this.#formerIds.set(name, id);
    } else {
      this.#formerIds.delete(name);
    }
    // A secret whose Secret has lost its data key has changed too.
    if (id !== undefined) this.#emit({ kind: "put", id });
  }

  onDelete(object: ManagedRecord): void {
    const { name } = object.metadata;
    const version = versionOf(object);
    this.#delivered = version;
    const before = this.#objects.get(name);
    if (before !== undefined && versionOf(before) > version) return;
    if ((this.#deleted.get(name) ?? version) <= version) this.#deleted.delete(name);
    this.#remove(name);
  }

  /**
   * Records that a Secret does not exist any more, whose last known version was `resourceVersion`: the watch may still
   * deliver that version, or an older one.
   */
  recordDeleted(name: string, resourceVersion: string | undefined): void {
    const version = Number(resourceVersion ?? 0);
    const before = this.#objects.get(name);
    if (before !== undefined && versionOf(before) > version) return;
    this.#deleted.set(name, Math.max(version, this.#deleted.get(name) ?? 0));
    const [oldest] = this.#deleted.keys();
    if (oldest !== undefined && this.#deleted.size > MAX_DELETED) this.#deleted.delete(oldest);
    this.#remove(name);
  }

  #remove(name: string): void {
    const before = this.#objects.get(name);
    if (before === undefined) return;
    const id = before.record?.id ?? this.#formerIds.get(name);
    this.#unindex(before, undefined);
    this.#objects.delete(name);
    this.#formerIds.delete(name);
    if (id !== undefined) this.#emit({ kind: "delete", id });
  }

  /** After a restore of etcd to an earlier state, whose versions begin again there. */
  #forgetAll(): void {
    this.#deleted.clear();
    for (const name of [...this.#objects.keys()]) this.#remove(name);
  }

  /** Takes a record out of the indexes that its next state does not belong to. */
  #unindex(before: ManagedRecord | undefined, after: ManagedRecord | undefined): void {
    if (before === undefined) return;
    const kept = new Set(after === undefined ? [] : indexKeys(after));
    for (const key of indexKeys(before)) {
      if (kept.has(key)) continue;
      const index = this.#indexOf(key);
      index.remove(before.metadata.name);
      if (index.isEmpty) this.#indexes.delete(key);
    }
  }

  #indexOf(key: string): RecordIndex {
    const found = this.#indexes.get(key);
    if (found !== undefined) return found;
    const index = new RecordIndex();
    this.#indexes.set(key, index);
    return index;
  }

  /** Before the first list nobody has anything that could have changed. */
  #emit(change: StoreChange): void {
    if (this.#hasSynced) this.#options.onChange(change);
  }
}

/** The indexes that a record is in: those of every scope in whose listing it is. */
function indexKeys({ record, domain, project }: ManagedRecord): Set<string> {
  if (record === undefined) return new Set();
  const { org } = record.id;
  return new Set([
    indexKey(org, domain, project),
    indexKey(org, domain, ""),
    indexKey(org, "", project),
    indexKey(org, "", ""),
  ]);
}

/** No part contains a slash, which a data key cannot have. */
const indexKey = (org: string, domain: string, project: string) => `${org}/${domain}/${project}`;

/**
 * Versions of one kind of object grow with time
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).
 */
const versionOf = ({ metadata }: ManagedRecord) => Number(metadata.resourceVersion ?? 0);
