import {
  type Clock,
  isSecretsError,
  kubernetesSecretName,
  type ListPage,
  type ListRequest,
  type SecretContent,
  type SecretId,
  type SecretRecord,
  SecretsError,
} from "@flyte-secrets/core";
import { type KubeClient, type KubeSecret, retryConflict, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { OWNED_SECRETS, type OwnedSecret } from "./foreign-owner.ts";
import { ManagedFeed } from "./managed-feed.ts";
import { createManagedListing, type ListingSource } from "./managed-listing.ts";
import { isManaged, toManagedRecord } from "./managed-record.ts";
import { toManagedSecret, toRecord } from "./managed-secret.ts";

export interface ManagedSecretsOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The cluster's name in the presence of a secret. */
  readonly clusterName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The calls to the API server for the managed Secrets of a namespace, with errors that name the secret, and what is
 * known of these Secrets without a call. What a call has read or written is known from then on, though the watch may
 * deliver it later.
 */
export class ManagedSecrets {
  readonly #options: ManagedSecretsOptions;
  readonly #list: (request: ListRequest, source: ListingSource) => Promise<ListPage>;
  readonly feed: ManagedFeed;

  constructor(options: ManagedSecretsOptions) {
    this.#options = options;
    this.#list = createManagedListing(options);
    this.feed = new ManagedFeed(options);
  }

  /** Finds a Secret by its name, whatever its labels, as Flyte's reader does. */
  async find(id: SecretId, signal: AbortSignal): Promise<OwnedSecret | undefined> {
    const { client, namespace } = this.#options;
    const name = kubernetesSecretName(id);
    const before = this.feed.get(name);
    const secret = await client.get(OWNED_SECRETS, { namespace, name }, { signal });
    if (secret !== undefined) this.#record(secret);
    else if (before !== undefined) this.feed.recordDeleted(name, before.metadata.resourceVersion);
    return secret;
  }

  /** Throws `already_exists` if there is a Secret of that name. */
  async create(id: SecretId, input: SecretContent, signal: AbortSignal): Promise<KubeSecret> {
    const { client, namespace } = this.#options;
    try {
      const created = await client.create(OWNED_SECRETS, toManagedSecret(id, input, namespace), { signal });
      this.#record(created);
      return created;
    } catch (error) {
      if (!isSecretsError(error, "already_exists")) throw error;
      throw new SecretsError("already_exists", `secret ${id.name} already exists`, { cause: error });
    }
  }

  /** Replaces the version that `secret` has; throws `conflict` for another one. */
  async replace(secret: KubeSecret, signal: AbortSignal): Promise<KubeSecret> {
    const replaced = await this.#options.client.replace(OWNED_SECRETS, secret, { signal });
    this.#record(replaced);
    return replaced;
  }

  /** Deletes this version; throws `conflict` for another one, and `not_found` if there is none. */
  async delete(id: SecretId, { resourceVersion }: KubeSecret["metadata"], signal: AbortSignal): Promise<void> {
    const { client, namespace } = this.#options;
    const name = kubernetesSecretName(id);
    const isDeleted = await client.delete(SECRETS, { namespace, name, preconditions: { resourceVersion } }, { signal });
    this.feed.recordDeleted(name, resourceVersion);
    if (!isDeleted) throw notFound(id);
  }

  /**
   * Runs a change that reads a Secret, decides, and writes it with its resource version; again if somebody else has
   * changed it in between. Throws `not_found` if it was deleted, `conflict` if it is changed again and again.
   */
  async change<T>(id: SecretId, signal: AbortSignal, change: () => Promise<T>): Promise<T> {
    try {
      return await retryConflict({ clock: this.#options.clock, signal }, change);
    } catch (error) {
      if (isSecretsError(error, "not_found")) throw notFound(id);
      if (!isSecretsError(error, "conflict")) throw error;
      const message = `secret ${id.name} was changed by others again and again; try again.`;
      throw new SecretsError("conflict", message, { cause: error });
    }
  }

  /** One page of the secrets in a scope. Secrets that hold no secret are skipped and logged. */
  list(request: ListRequest, source: ListingSource): Promise<ListPage> {
    return this.#list(request, source);
  }

  toRecord(id: SecretId, secret: KubeSecret): SecretRecord {
    return toRecord(id, secret, this.#options.clusterName);
  }

  /** The watch selects by label, so it would never deliver the deletion of another Secret. */
  #record(secret: OwnedSecret): void {
    if (isManaged(secret)) this.feed.record(toManagedRecord(secret, this.#options.clusterName));
  }
}

/** The error for a secret that does not exist. */
export const notFound = (id: SecretId) => new SecretsError("not_found", `secret ${id.name} not found`);
