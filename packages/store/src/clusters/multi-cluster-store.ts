import {
  isSecretsError,
  type ListPage,
  type ListRequest,
  type SecretContent,
  type SecretId,
  type SecretRecord,
  type SecretStore,
  SecretsError,
  type SecretValue,
  type StoreCallOptions,
  type StoreChange,
} from "@flyte-secrets/core";
import {
  type ClusterMember,
  callClusters,
  type Outcome,
  throwFailure,
  throwUnlessEverywhere,
} from "./call-clusters.ts";
import { mergeListings } from "./merge-listings.ts";

/**
 * One store over the stores of several clusters, the first of which is the nearest. A write goes to all of them; if it
 * reaches only some, the error names the others, and repeating the call completes it. A read needs one cluster that
 * answers. The stores must list in the order of Kubernetes names, and are closed with this one.
 */
export function createMultiClusterStore(clusters: readonly [ClusterMember, ...ClusterMember[]]): SecretStore {
  return new MultiClusterStore(clusters);
}

class MultiClusterStore implements SecretStore {
  readonly name: string;
  readonly maxValueBytes: number;
  readonly maxIdLength: number;
  readonly #clusters: readonly [ClusterMember, ...ClusterMember[]];

  constructor(clusters: readonly [ClusterMember, ...ClusterMember[]]) {
    this.#clusters = clusters;
    this.name = clusters[0].store.name;
    this.maxValueBytes = Math.min(...clusters.map(({ store }) => store.maxValueBytes));
    this.maxIdLength = Math.min(...clusters.map(({ store }) => store.maxIdLength));
  }

  async create(id: SecretId, input: SecretContent, options?: StoreCallOptions): Promise<SecretRecord> {
    const found = await this.#find(id, { ...options, strong: true, includeSystem: true });
    const holders = found.filter(isHolder);
    if (holders.length > 0) await this.#assertSame(id, input, { found, holders, options });
    const others = found.filter((each) => !isHolder(each));
    const created = await this.#createIn(others, holders.length === 0, { id, input, options });
    throwUnlessEverywhere(id, [...holders, ...created]);
    return this.#everywhere(holders[0]?.value ?? created.filter(isHolder)[0]?.value, id);
  }

  async update(id: SecretId, value: SecretValue, options?: StoreCallOptions): Promise<SecretRecord> {
    const { found, first } = await this.#findSome(id, { ...options, includeSystem: false });
    const isMissing = new Set(found.flatMap((each) => (each.ok && each.value === undefined ? each.cluster : [])));
    const updated = await callClusters(this.#clusters, ({ cluster, store }) =>
      isMissing.has(cluster)
        ? store.create(id, { value, type: first.type }, options)
        : store.update(id, value, options),
    );
    throwUnlessEverywhere(id, updated);
    return this.#everywhere(first, id);
  }

  async delete(id: SecretId, options?: StoreCallOptions): Promise<void> {
    await this.#findSome(id, options);
    const deleted = await callClusters(this.#clusters, async ({ store }) => {
      try {
        await store.delete(id, options);
      } catch (error) {
        if (!isSecretsError(error, "not_found")) throw error;
      }
    });
    throwUnlessEverywhere(id, deleted);
  }

  async get(id: SecretId, options?: StoreCallOptions): Promise<SecretRecord | undefined> {
    const found = await this.#find(id, options);
    const [holder] = found.filter(isHolder);
    if (holder === undefined) {
      throwFailure(found);
      return undefined;
    }
    const clusters = found.map((each) => ({ cluster: each.cluster, presence: presenceOf(each) }));
    return { ...holder.value, clusters };
  }

  list(request: ListRequest, options?: StoreCallOptions): Promise<ListPage> {
    return mergeListings(this.#clusters, request, options);
  }

  async read(id: SecretId, options?: StoreCallOptions): Promise<SecretValue | undefined> {
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

  /** Reports the changes in the first cluster, because values are read there and every write goes to each cluster. */
  watch(listener: (change: StoreChange) => void): () => void {
    return this.#clusters[0].store.watch(listener);
  }

  /** One cluster that answers is enough. */
  async check(options?: StoreCallOptions): Promise<void> {
    const checked = await callClusters(this.#clusters, ({ store }) => store.check(options));
    if (!checked.some(({ ok }) => ok)) throwFailure(checked);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clusters.map(({ store }) => store.close()));
  }

  #find(id: SecretId, options: StoreCallOptions | undefined): Promise<Outcome<SecretRecord | undefined>[]> {
    return callClusters(this.#clusters, ({ store }) => store.get(id, options));
  }

  /** Throws `not_found` if no cluster has the secret, or the first failure if a cluster did not answer. */
  async #findSome(id: SecretId, options: StoreCallOptions | undefined) {
    const found = await this.#find(id, { ...options, strong: true });
    const [holder] = found.filter(isHolder);
    if (holder !== undefined) return { found, first: holder.value };
    throwFailure(found);
    throw new SecretsError("not_found", `secret ${id.name} not found`);
  }

  /**
   * If some clusters have the secret, it is created in the others only with the same value: otherwise the clusters
   * would differ.
   */
  async #assertSame(id: SecretId, { value, type }: SecretContent, { found, holders, options }: Holding): Promise<void> {
    const names = holders.map(({ cluster }) => cluster).join(", ");
    if (holders.length === found.length) throw new SecretsError("already_exists", `secret ${id.name} already exists`);
    const values = await callClusters(holders, ({ store }) => store.read(id, options));
    throwFailure(values);
    const isSame = values.every((each) => each.ok && each.value?.equals(value) === true);
    if (isSame && holders.every((holder) => holder.value.type === type && !holder.value.system)) return;
    throw new SecretsError(
      "already_exists",
      `secret ${id.name} already exists in ${names}, with another value or type. ` +
        "Update it: that completes the other clusters too.",
    );
  }

  /** One after the other, so that of two that create it at once the first cluster that both reach decides. */
  async #createIn(clusters: readonly ClusterMember[], isNew: boolean, { id, input, options }: Creation) {
    const created: Outcome<SecretRecord>[] = [];
    for (const cluster of clusters) {
      const outcomes = await callClusters([cluster], ({ store }) => store.create(id, input, options));
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

type Holder = ClusterMember & { readonly ok: true; readonly value: SecretRecord };

interface Creation {
  readonly id: SecretId;
  readonly input: SecretContent;
  readonly options: StoreCallOptions | undefined;
}

interface Holding {
  readonly found: readonly Outcome<SecretRecord | undefined>[];
  readonly holders: readonly Holder[];
  readonly options: StoreCallOptions | undefined;
}

function isHolder(outcome: Outcome<SecretRecord | undefined>): outcome is Holder {
  return outcome.ok && outcome.value !== undefined;
}

function presenceOf(outcome: Outcome<SecretRecord | undefined>): "present" | "missing" | "unknown" {
  if (!outcome.ok) return "unknown";
  return outcome.value === undefined ? "missing" : "present";
}
