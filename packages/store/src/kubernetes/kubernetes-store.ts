import {
  type Clock,
  encodeSecretId,
  isSecretsError,
  kubernetesSecretName,
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
import { type KubeClient, type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { assertValueFits, MAX_ID_LENGTH, MAX_VALUE_BYTES } from "../value-limits.ts";
import { assertOwn, withoutOwner } from "./foreign-owner.ts";
import { createImagePullMirror, type ImagePullMirror } from "./image-pull-mirror.ts";
import { type ManagedRecord, replacementOf } from "./managed-record.ts";
import { isSystem, managedValue, typeOf, withValue } from "./managed-secret.ts";
import { ManagedSecrets, notFound } from "./managed-secrets.ts";
import { createFormerNamespaceCheck, ensureNamespace } from "./namespaces.ts";
import type { WatchedRecords } from "./watched-records.ts";

export interface KubernetesStoreOptions {
  /** Closed by the store, also if opening it fails. */
  readonly client: KubeClient;
  /** Namespace of the managed Secrets, created if it is missing. */
  readonly namespace: string;
  /** Namespace where they may have been before: see {@link createFormerNamespaceCheck}. Default: none. */
  readonly formerNamespace?: string;
  /** Namespace of the Secrets that images are pulled with. */
  readonly imagePullNamespace: string;
  /** The cluster's name in the presence of a secret. */
  readonly clusterName: string;
  /**
   * `strong`: every read asks the API server. `eventual`: a secret that a watch has delivered is read from memory, so
   * that another process's write is seen once the watch delivers it; the writes of this store are seen at once, and
   * that a secret does not exist is always asked. Default: `strong`.
   */
  readonly consistency?: Consistency;
  /** Receives for each secret that is described and each page that is listed where that came from, for metrics. */
  readonly observeRead?: ((from: "memory" | "backend") => void) | undefined;
  /** Whether the store also opens while the cluster cannot be reached, because it is one of several. Default false. */
  readonly mayBeAway?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

export type Consistency = "strong" | "eventual";

/** A store whose watchers receive changes only once it is connected. */
export interface KubernetesStore extends SecretStore {
  /** Resolves once all present watchers receive changes: they have received `reset`. */
  synced(): Promise<void>;
}

/**
 * Opens the store in a cluster. Each secret is a Kubernetes Secret in Flyte's own form, so that Flyte reads what this
 * store writes and the reverse. Throws `credentials_refused` or `store_unavailable`.
 */
export async function openKubernetesStore(options: KubernetesStoreOptions): Promise<KubernetesStore> {
  const { client, namespace, clusterName, mayBeAway = false, log } = options;
  try {
    await ensureNamespace(client, namespace, log);
  } catch (error) {
    if (!mayBeAway || !isSecretsError(error, "store_unavailable", "deadline_exceeded")) {
      client.close();
      throw error;
    }
    log.warn({ err: error, cluster: clusterName }, "a cluster cannot be reached; going on with the others");
  }
  return new KubernetesSecretStore(options);
}

class KubernetesSecretStore implements KubernetesStore {
  readonly name = "Kubernetes";
  readonly maxValueBytes = MAX_VALUE_BYTES;
  readonly maxIdLength = MAX_ID_LENGTH;
  readonly #options: KubernetesStoreOptions;
  readonly #client: KubeClient;
  readonly #secrets: ManagedSecrets;
  readonly #mirror: ImagePullMirror;
  readonly #checkFormerNamespace: (signal?: AbortSignal) => Promise<void>;
  readonly #closing = new AbortController();

  constructor(options: KubernetesStoreOptions) {
    const { client, imagePullNamespace, clock } = options;
    this.#options = options;
    this.#client = client;
    this.#secrets = new ManagedSecrets(options);
    const readSource = (id: SecretId, signal: AbortSignal) => this.#secrets.find(id, signal);
    this.#mirror = createImagePullMirror({ client, namespace: imagePullNamespace, clock, readSource });
    this.#checkFormerNamespace = createFormerNamespaceCheck({ ...options, former: options.formerNamespace ?? "" });
    if (options.consistency === "eventual") this.#secrets.feed.start();
  }

  async create(id: SecretId, input: SecretContent, options?: StoreCallOptions): Promise<SecretRecord> {
    assertValueFits(input.value);
    const signal = this.#signal(options);
    const created = await this.#secrets.create(id, input, signal);
    if (input.type === "image_pull") {
      try {
        await this.#mirror.follow(id, signal);
      } catch (error) {
        await this.#undoCreate(created, id);
        throw error;
      }
    }
    return this.#secrets.toRecord(id, created);
  }

  async update(id: SecretId, value: SecretValue, options?: StoreCallOptions): Promise<SecretRecord> {
    assertValueFits(value);
    const signal = this.#signal(options);
    let known = this.#known(id, options);
    const updated = await this.#secrets.change(id, signal, async () => {
      const unread = known && replacementOf(known, value, this.#options.namespace);
      // Where somebody has changed it since, that is a conflict, and it is read.
      known = undefined;
      if (unread !== undefined) return await this.#secrets.replace(unread, signal);
      const secret = await this.#secrets.find(id, signal);
      if (secret === undefined || isSystem(secret)) throw notFound(id);
      assertOwn(secret, id, options?.force);
      if (secret.immutable === true) throw isImmutable(id, secret);
      return await this.#secrets.replace(withValue(withoutOwner(secret), id, value), signal);
    });
    if (typeOf(updated) === "image_pull") await this.#mirror.follow(id, signal, options?.force);
    return this.#secrets.toRecord(id, updated);
  }

  async get(id: SecretId, options?: StoreCallOptions): Promise<SecretRecord | undefined> {
    const known = this.#known(id, options)?.record;
    const isKnown = known !== undefined && isShown(known, options);
    this.#options.observeRead?.(isKnown ? "memory" : "backend");
    if (isKnown) return known;
    const secret = await this.#secrets.find(id, this.#signal(options));
    return secret && isVisible(secret, options) ? this.#secrets.toRecord(id, secret) : undefined;
  }

  async delete(id: SecretId, options?: StoreCallOptions): Promise<void> {
    const signal = this.#signal(options);
    let known = this.#known(id, options);
    const wasImagePull = await this.#secrets.change(id, signal, async () => {
      const { record, metadata, isOwned } = known ?? {};
      // As for an update.
      known = undefined;
      if (record?.type === "generic" && metadata && isShown(record, options) && !isOwned) {
        await this.#secrets.delete(id, metadata, signal);
        return false;
      }
      const secret = await this.#secrets.find(id, signal);
      if (secret === undefined || !isVisible(secret, options)) throw notFound(id);
      assertOwn(secret, id, options?.force);
      const isImagePull = typeOf(secret) === "image_pull";
      // First, so that a delete that fails between the two can be repeated.
      if (isImagePull) await this.#mirror.remove(id, signal, options?.force);
      await this.#secrets.delete(id, secret.metadata, signal);
      return isImagePull;
    });
    // A concurrent update may have created it again.
    if (wasImagePull) await this.#mirror.follow(id, signal, options?.force);
  }

  list(request: ListRequest, options?: StoreCallOptions): Promise<ListPage> {
    const records = this.#records(options);
    this.#options.observeRead?.(records === undefined ? "backend" : "memory");
    return this.#secrets.list(request, { records, signal: () => this.#signal(options) });
  }

  async read(id: SecretId, options?: StoreCallOptions): Promise<SecretValue | undefined> {
    const secret = await this.#secrets.find(id, this.#signal(options));
    if (secret === undefined) return undefined;
    const value = managedValue(secret, id);
    if (value !== undefined) return value;
    const { namespace, name } = secret.metadata;
    throw new SecretsError(
      "value_unreadable",
      `Secret ${name} in namespace ${namespace} has no value of secret ${id.name}, whose data key is ` +
        `${encodeSecretId(id)}. ` +
        "Update the secret, or give it that data key.",
    );
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#secrets.feed.watch(listener);
  }

  synced(): Promise<void> {
    return this.#secrets.feed.synced();
  }

  /** Also throws while watchers do not receive changes, and while there are secrets in the former namespace only. */
  async check(options?: StoreCallOptions): Promise<void> {
    const { namespace } = this.#options;
    const signal = this.#signal(options);
    // There is no Secret of this name, so no value is transferred.
    await this.#client.get(SECRETS, { namespace, name: "answer" }, { signal });
    await this.#checkFormerNamespace(signal);
    const problem = this.#secrets.feed.problem();
    if (problem === undefined) return;
    throw new SecretsError("store_unavailable", `The Secrets of namespace ${namespace} cannot be watched: ${problem}`);
  }

  async close(): Promise<void> {
    this.#closing.abort(new SecretsError("store_unavailable", "The store is closed."));
    await this.#secrets.feed.close();
    this.#client.close();
  }

  /** The records in memory, if a call may be answered from there at present. */
  #records(options: StoreCallOptions | undefined): WatchedRecords | undefined {
    this.#closing.signal.throwIfAborted();
    const isStrong = options?.strong ?? this.#options.consistency !== "eventual";
    return isStrong || options?.signal?.aborted ? undefined : this.#secrets.feed.current();
  }

  /** What is known of a secret without a call. Nothing does not mean that it does not exist. */
  #known(id: SecretId, options: StoreCallOptions | undefined): ManagedRecord | undefined {
    return this.#records(options)?.get(kubernetesSecretName(id));
  }

  #signal(options: StoreCallOptions | undefined): AbortSignal {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    return options?.signal ? AbortSignal.any([signal, options.signal]) : signal;
  }

  /** Undoes a create whose second half failed, as far as possible. */
  async #undoCreate({ metadata }: KubeSecret, id: SecretId): Promise<void> {
    const { namespace, name, uid } = metadata;
    const { signal } = this.#closing;
    try {
      await this.#client.delete(SECRETS, { namespace, name, preconditions: { uid } }, { signal });
      this.#secrets.feed.recordDeleted(name, metadata.resourceVersion);
      await this.#mirror.follow(id, signal);
    } catch (error) {
      this.#options.log.warn(
        { err: error, namespace, secret: name },
        "a create that failed half-way could not be undone completely",
      );
    }
  }
}

const isVisible = (secret: KubeSecret, options: StoreCallOptions | undefined) =>
  isShown({ system: isSystem(secret) }, options);

const isShown = ({ system }: Pick<SecretRecord, "system">, options: StoreCallOptions | undefined) =>
  !system || options?.includeSystem === true;

const isImmutable = (id: SecretId, { metadata: { name, namespace } }: KubeSecret) =>
  new SecretsError(
    "call_refused",
    `secret ${id.name} cannot be updated: Secret ${name} in namespace ${namespace} is immutable. ` +
      "Delete the secret and create it.",
  );
