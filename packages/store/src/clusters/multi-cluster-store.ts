import {
  type CallOptions,
  isSecretsError,
  type ListPage,
  type ListRequest,
  type SecretId,
  type SecretInput,
  type SecretRecord,
  type SecretStore,
  SecretsError,
  type SecretValue,
  type StoreChange,
} from "@flyte-secrets/core";
import { askClusters, type ClusterStore, type Outcome, throwFailure, throwUnlessEverywhere } from "./ask-clusters.ts";
import { mergeListings } from "./merge-listings.ts";

/**
 * One store over those of several clusters, the first of which is the nearest. Writes go to all of them: one that reaches only some is
 * an error that names the others, and the same call again completes it. Reading needs one cluster that answers. The stores list in
 * the order of Kubernetes names; closing this closes them.
 */
export function createMultiClusterStore(clusters: readonly [ClusterStore, ...ClusterStore[]]): SecretStore {
  return new MultiClusterStore(clusters);
}

class MultiClusterStore implements SecretStore {
  readonly name: string;
  readonly maxValueBytes: number;
  readonly maxIdLength: number;
  readonly #clusters: readonly [ClusterStore, ...ClusterStore[]];

  constructor(clusters: readonly [ClusterStore, ...ClusterStore[]]) {
    this.#clusters = clusters;
    this.name = clusters[0].store.name;
    this.maxValueBytes = Math.min(...clusters.map(({ store }) => store.maxValueBytes));
    this.maxIdLength = Math.min(...clusters.map(({ store }) => store.maxIdLength));
  }

  async create(id: SecretId, input: SecretInput, options?: CallOptions): Promise<SecretRecord> {
    const found = await this.#find(id, { ...options, includeSystem: true });
    const holders = found.filter(isHolder);
    if (holders.length > 0) await this.#assertSame(id, input, { found, holders, options });
    const others = found.filter((each) => !isHolder(each));
    const created = await this.#createIn(others, holders.length === 0, { id, input, options });
    throwUnlessEverywhere(id, [...holders, ...created]);
    return this.#everywhere(holders[0]?.value ?? created.filter(isHolder)[0]?.value, id);
  }

  async update(id: SecretId, value: SecretValue, options?: CallOptions): Promise<SecretRecord> {
    const { found, first } = await this.#findSome(id, { ...options, includeSystem: false });
    const isMissing = new Set(found.flatMap((each) => (each.ok && each.value === undefined ? each.cluster : [])));
    const updated = await askClusters(this.#clusters, ({ cluster, store }) =>
      isMissing.has(cluster)
        ? store.create(id, { value, type: first.type }, options)
        : store.update(id, value, options),
    );
    throwUnlessEverywhere(id, updated);
    return this.#everywhere(first, id);
  }

  async delete(id: SecretId, options?: CallOptions): Promise<void> {
    await this.#findSome(id, options);
    const deleted = await askClusters(this.#clusters, async ({ store }) => {
      try {
        await store.delete(id, options);
      } catch (error) {
        if (!isSecretsError(error, "not_found")) throw error;
      }
    });
    throwUnlessEverywhere(id, deleted);
  }

  async get(id: SecretId, options?: CallOptions): Promise<SecretRecord | undefined> {
    const found = await this.#find(id, options);
    const [holder] = found.filter(isHolder);
    if (holder === undefined) {
      throwFailure(found);
      return undefined;
    }
    const clusters = found.map((each) => ({ cluster: each.cluster, presence: presenceOf(each) }));
    return { ...holder.value, clusters };
  }

  list(request: ListRequest, options?: CallOptions): Promise<ListPage> {
    return mergeListings(this.#clusters, request, options);
  }

  async read(id: SecretId, options?: CallOptions): Promise<SecretValue | undefined> {
    const failures: SecretsError[] = [];
    for (const { store } of this.#clusters) {
      try {
        const value = await store.read(id, options);
        if (value !== undefined) return value;
      } catch (error) {
        if (!isSecretsError(error) || error.code === "canceled") throw error;
        failures.push(error);
      }
    }
    if (failures[0] !== undefined) throw failures[0];
    return undefined;
  }

  /** Tells the changes in the first cluster, which is the one that is read from: a write is made in each. */
  watch(listener: (change: StoreChange) => void): () => void {
    return this.#clusters[0].store.watch(listener);
  }

  /** One that answers is enough. */
  async check(options?: CallOptions): Promise<void> {
    const checked = await askClusters(this.#clusters, ({ store }) => store.check(options));
    if (!checked.some(({ ok }) => ok)) throwFailure(checked);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clusters.map(({ store }) => store.close()));
  }

  #find(id: SecretId, options: CallOptions | undefined): Promise<Outcome<SecretRecord | undefined>[]> {
    return askClusters(this.#clusters, ({ store }) => store.get(id, options));
  }

  /** Throws `not_found` when no cluster has it, and what is wrong when that can't be said. */
  async #findSome(id: SecretId, options: CallOptions | undefined) {
    const found = await this.#find(id, options);
    const [holder] = found.filter(isHolder);
    if (holder !== undefined) return { found, first: holder.value };
    throwFailure(found);
    throw new SecretsError("not_found", `secret ${id.name} not found`);
  }

  /** A create that some clusters have already is completed only with what they have: another value would make them differ. */
  async #assertSame(id: SecretId, { value, type }: SecretInput, { found, holders, options }: Holding): Promise<void> {
    const names = holders.map(({ cluster }) => cluster).join(", ");
    if (holders.length === found.length) throw new SecretsError("already_exists", `secret ${id.name} already exists`);
    const values = await askClusters(holders, ({ store }) => store.read(id, options));
    throwFailure(values);
    const isSame = values.every((each) => each.ok && each.value?.equals(value) === true);
    if (isSame && holders.every((holder) => holder.value.type === type && !holder.value.system)) return;
    throw new SecretsError(
      "already_exists",
      `secret ${id.name} already exists in ${names}, with another value or type. Update it: that completes the other clusters too.`,
    );
  }

  /** One after the other, so that of two that create it at once the first cluster that both reach decides. */
  async #createIn(clusters: readonly ClusterStore[], isNew: boolean, { id, input, options }: Creation) {
    const created: Outcome<SecretRecord>[] = [];
    for (const cluster of clusters) {
      const outcomes = await askClusters([cluster], ({ store }) => store.create(id, input, options));
      const isLost = isNew && !created.some(({ ok }) => ok);
      for (const outcome of outcomes) {
        if (isLost && !outcome.ok && outcome.error.code === "already_exists") throw outcome.error;
      }
      created.push(...outcomes);
    }
    return created;
  }

  #everywhere(record: SecretRecord | undefined, id: SecretId): SecretRecord {
    if (record === undefined) throw new SecretsError("not_found", `secret ${id.name} not found`);
    return {
      ...record,
      clusters: this.#clusters.map(({ cluster }) => ({ cluster, presence: "present" })),
    };
  }
}

type Holder = ClusterStore & { readonly ok: true; readonly value: SecretRecord };

interface Creation {
  readonly id: SecretId;
  readonly input: SecretInput;
  readonly options: CallOptions | undefined;
}

interface Holding {
  readonly found: readonly Outcome<SecretRecord | undefined>[];
  readonly holders: readonly Holder[];
  readonly options: CallOptions | undefined;
}

function isHolder(outcome: Outcome<SecretRecord | undefined>): outcome is Holder {
  return outcome.ok && outcome.value !== undefined;
}

function presenceOf(outcome: Outcome<SecretRecord | undefined>): "present" | "missing" | "unknown" {
  if (!outcome.ok) return "unknown";
  return outcome.value === undefined ? "missing" : "present";
}
