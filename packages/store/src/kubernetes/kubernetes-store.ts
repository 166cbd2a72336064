import type { Clock } from "@flyte-secrets/core";
import {
  type CallOptions,
  encodeSecretId,
  isInScope,
  isSecretsError,
  kubernetesSecretName,
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
import type { KubeClient } from "@flyte-secrets/kube";
import { retryConflict, SECRETS, type Secret } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { assertValueFits, MAX_ID_LENGTH, MAX_VALUE_BYTES } from "../value-limits.ts";
import { decodeContinueToken, encodeContinueToken } from "./continue-token.ts";
import { ensureNamespace } from "./ensure-namespace.ts";
import { assertOwn, OWNED_SECRETS, type OwnedSecret, withoutOwner } from "./foreign-owner.ts";
import { createFormerPlaceCheck } from "./former-place.ts";
import { createImagePullMirror, type ImagePullMirror } from "./image-pull-mirror.ts";
import { ManagedFeed } from "./managed-feed.ts";
import {
  isSystem,
  listSelector,
  managedId,
  managedValue,
  toManagedSecret,
  toRecord,
  typeOf,
  withValue,
} from "./managed-secret.ts";
import { describeMisnamed } from "./misnamed-secret.ts";

/** Secrets a call to the API server, which sends the values along: with the largest values it is 140 MB of JSON. */
const PAGE = 100;

export interface KubernetesStoreOptions {
  /** The store closes it, also when it can't be opened. */
  readonly client: KubeClient;
  /** Of the managed Secrets; made where it is missing. */
  readonly namespace: string;
  /** Where they may have been before: see {@link createFormerPlaceCheck}. Default: nowhere. */
  readonly formerNamespace?: string;
  /** Of the Secrets that images are pulled with. */
  readonly imagePullNamespace: string;
  /** The name that the cluster goes by in the presence of a secret. */
  readonly clusterName: string;
  /** Opens also while the cluster cannot be reached: it is one of several. Default: throws then. */
  readonly mayBeAway?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A store that has to connect before its watchers hear anything. */
export interface KubernetesStore extends SecretStore {
  /** Resolves once those who watch now hear of changes: they have been told `reset`. */
  synced(): Promise<void>;
}

/**
 * Opens the store in a cluster: a Kubernetes Secret for each secret, in Flyte's own form, so that what either writes
 * the other reads. Throws `credentials_refused` or `store_unavailable`.
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
    log.warn({ err: error, cluster: clusterName }, "a cluster is away; going on with the others");
  }
  return new ClusterStore(options);
}

class ClusterStore implements KubernetesStore {
  readonly name = "Kubernetes";
  readonly maxValueBytes = MAX_VALUE_BYTES;
  readonly maxIdLength = MAX_ID_LENGTH;
  readonly #options: KubernetesStoreOptions;
  readonly #client: KubeClient;
  readonly #mirror: ImagePullMirror;
  readonly #feed: ManagedFeed;
  readonly #checkFormerPlace: (signal?: AbortSignal) => Promise<void>;
  readonly #closing = new AbortController();

  constructor(options: KubernetesStoreOptions) {
    const { client, imagePullNamespace, clock } = options;
    this.#options = options;
    this.#client = client;
    const readSource = (id: SecretId, signal: AbortSignal) => this.#find(id, signal);
    this.#mirror = createImagePullMirror({ client, namespace: imagePullNamespace, clock, readSource });
    this.#feed = new ManagedFeed(options);
    this.#checkFormerPlace = createFormerPlaceCheck({ ...options, former: options.formerNamespace ?? "" });
  }

  async create(id: SecretId, input: SecretInput, options?: CallOptions): Promise<SecretRecord> {
    assertValueFits(input.value);
    const signal = this.#signal(options);
    const created = await this.#insert(toManagedSecret(id, input, this.#options.namespace), id, signal);
    if (input.type === "image_pull") {
      try {
        await this.#mirror.follow(id, signal);
      } catch (error) {
        await this.#takeBack(created, id);
        throw error;
      }
    }
    return this.#toRecord(id, created);
  }

  async update(id: SecretId, value: SecretValue, options?: CallOptions): Promise<SecretRecord> {
    assertValueFits(value);
    const signal = this.#signal(options);
    const updated = await this.#write(id, signal, async () => {
      const secret = await this.#find(id, signal);
      if (secret === undefined || isSystem(secret)) throw notFound(id);
      assertOwn(secret, id, options?.force);
      if (secret.immutable === true) throw isImmutable(id, secret);
      return await this.#client.replace(SECRETS, withValue(withoutOwner(secret), id, value), { signal });
    });
    if (typeOf(updated) === "image_pull") await this.#mirror.follow(id, signal, options?.force);
    return this.#toRecord(id, updated);
  }

  async get(id: SecretId, options?: CallOptions): Promise<SecretRecord | undefined> {
    const secret = await this.#find(id, this.#signal(options));
    return secret && isVisible(secret, options) ? this.#toRecord(id, secret) : undefined;
  }

  async delete(id: SecretId, options?: CallOptions): Promise<void> {
    const signal = this.#signal(options);
    const wasImagePull = await this.#write(id, signal, async () => {
      const secret = await this.#find(id, signal);
      if (secret === undefined || !isVisible(secret, options)) throw notFound(id);
      assertOwn(secret, id, options?.force);
      const isImagePull = typeOf(secret) === "image_pull";
      // First, so that a delete that fails between the two can be repeated.
      if (isImagePull) await this.#mirror.remove(id, signal, options?.force);
      const { namespace, name, resourceVersion } = secret.metadata;
      const preconditions = { resourceVersion };
      if (!(await this.#client.delete(SECRETS, { namespace, name, preconditions }, { signal }))) throw notFound(id);
      return isImagePull;
    });
    // An update at the same time may have made it again.
    if (wasImagePull) await this.#mirror.follow(id, signal, options?.force);
  }

  async list(request: ListRequest, options?: CallOptions): Promise<ListPage> {
    const { namespace, clusterName, log } = this.#options;
    const { scope, includeSystem, limit } = request;
    const listing = { clusterName, namespace, scope, includeSystem };
    const token = request.token || request.clusterTokens[clusterName];
    let position = token ? decodeContinueToken(listing, token) : undefined;
    const signal = this.#signal(options);
    const entries: SecretRecord[] = [];
    do {
      // Never more than there is room for: the position is behind the last of them.
      const query = { namespace, labelSelector: listSelector(request), continue: position };
      const room = Math.min(PAGE, limit - entries.length);
      const page = await this.#client.list(SECRETS, { ...query, limit: room }, { signal });
      for (const secret of page.items) {
        const id = managedId(secret);
        if (id === undefined) {
          const { what, remedy } = describeMisnamed(secret);
          log.warn(
            { namespace, secret: secret.metadata.name, remedy },
            `skipped a Secret that holds no secret: ${what}`,
          );
        } else if (isInScope(id, scope)) entries.push(this.#toRecord(id, secret));
      }
      position = page.continue;
    } while (position !== undefined && entries.length < limit);
    const next = position === undefined ? "" : encodeContinueToken(listing, position);
    return { entries, token: next, clusterTokens: next === "" ? {} : { [clusterName]: next } };
  }

  async read(id: SecretId, options?: CallOptions): Promise<SecretValue | undefined> {
    const secret = await this.#find(id, this.#signal(options));
    if (secret === undefined) return undefined;
    const value = managedValue(secret, id);
    if (value !== undefined) return value;
    const { namespace, name } = secret.metadata;
    throw new SecretsError(
      "value_unreadable",
      `Secret ${name} in namespace ${namespace} has no value of secret ${id.name}, whose data key is ${encodeSecretId(id)}. ` +
        "Update the secret, or give it that data key.",
    );
  }

  watch(listener: (change: StoreChange) => void): () => void {
    return this.#feed.watch(listener);
  }

  synced(): Promise<void> {
    return this.#feed.synced();
  }

  /** Also throws while those who watch do not hear of changes, and while secrets are left in their former place. */
  async check(options?: CallOptions): Promise<void> {
    const { namespace } = this.#options;
    const signal = this.#signal(options);
    // There is none of this name, and no value crosses the wire.
    await this.#client.get(SECRETS, { namespace, name: "answer" }, { signal });
    await this.#checkFormerPlace(signal);
    const problem = this.#feed.problem();
    if (problem === undefined) return;
    throw new SecretsError("store_unavailable", `The Secrets of namespace ${namespace} cannot be watched: ${problem}`);
  }

  async close(): Promise<void> {
    this.#closing.abort(new SecretsError("store_unavailable", "The store is closed."));
    await this.#feed.close();
    this.#client.close();
  }

  #signal(options: CallOptions | undefined): AbortSignal {
    const { signal } = this.#closing;
    signal.throwIfAborted();
    return options?.signal ? AbortSignal.any([signal, options.signal]) : signal;
  }

  /** By its name, as Flyte's reader does, whatever its labels. */
  #find(id: SecretId, signal: AbortSignal): Promise<OwnedSecret | undefined> {
    const { namespace } = this.#options;
    return this.#client.get(OWNED_SECRETS, { namespace, name: kubernetesSecretName(id) }, { signal });
  }

  async #insert(secret: Secret, id: SecretId, signal: AbortSignal): Promise<Secret> {
    try {
      return await this.#client.create(SECRETS, secret, { signal });
    } catch (error) {
      if (!isSecretsError(error, "already_exists")) throw error;
      throw new SecretsError("already_exists", `secret ${id.name} already exists`, { cause: error });
    }
  }

  /** One change of a Secret over the state that it was decided by. */
  async #write<T>(id: SecretId, signal: AbortSignal, change: () => Promise<T>): Promise<T> {
    try {
      return await retryConflict({ clock: this.#options.clock, signal }, change);
    } catch (error) {
      if (isSecretsError(error, "not_found")) throw notFound(id);
      if (!isSecretsError(error, "conflict")) throw error;
      const message = `secret ${id.name} was changed by others again and again; try again.`;
      throw new SecretsError("conflict", message, { cause: error });
    }
  }

  /** Undoes a create whose second half failed, as far as it can be. */
  async #takeBack({ metadata }: Secret, id: SecretId): Promise<void> {
    const { namespace, name, uid } = metadata;
    const { signal } = this.#closing;
    try {
      await this.#client.delete(SECRETS, { namespace, name, preconditions: { uid } }, { signal });
      await this.#mirror.follow(id, signal);
    } catch (error) {
      this.#options.log.warn(
        { err: error, namespace, secret: name },
        "not all of a create that failed half-way could be undone",
      );
    }
  }

  #toRecord(id: SecretId, secret: Secret): SecretRecord {
    return toRecord(id, secret, this.#options.clusterName);
  }
}

const isVisible = (secret: Secret, options: CallOptions | undefined) =>
  !isSystem(secret) || options?.includeSystem === true;

const notFound = (id: SecretId) => new SecretsError("not_found", `secret ${id.name} not found`);

const isImmutable = (id: SecretId, { metadata: { name, namespace } }: Secret) =>
  new SecretsError(
    "call_refused",
    `secret ${id.name} cannot be updated: Secret ${name} in namespace ${namespace} is immutable. Delete the secret and create it.`,
  );
