import {
  type Clock,
  isInScope,
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
import { decodeListToken, encodeListToken } from "../list-token.ts";
import { OWNED_SECRETS, type OwnedSecret } from "./foreign-owner.ts";
import { listSelector, managedId, toManagedSecret, toRecord } from "./managed-secret.ts";
import { describeMisnamed } from "./misnamed-secret.ts";

/** Secrets in one page of the API server, which contains the values: with the largest values it is 140 MB of JSON. */
const PAGE = 100;

export interface ManagedSecretsOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The cluster's name in the presence of a secret. */
  readonly clusterName: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The calls to the API server for the managed Secrets of a namespace, with errors that name the secret. */
export class ManagedSecrets {
  readonly #options: ManagedSecretsOptions;

  constructor(options: ManagedSecretsOptions) {
    this.#options = options;
  }

  /** Finds a Secret by its name, whatever its labels, as Flyte's reader does. */
  find(id: SecretId, signal: AbortSignal): Promise<OwnedSecret | undefined> {
    const { client, namespace } = this.#options;
    return client.get(OWNED_SECRETS, { namespace, name: kubernetesSecretName(id) }, { signal });
  }

  /** Throws `already_exists` if there is a Secret of that name. */
  async create(id: SecretId, input: SecretContent, signal: AbortSignal): Promise<KubeSecret> {
    const { client, namespace } = this.#options;
    try {
      return await client.create(SECRETS, toManagedSecret(id, input, namespace), { signal });
    } catch (error) {
      if (!isSecretsError(error, "already_exists")) throw error;
      throw new SecretsError("already_exists", `secret ${id.name} already exists`, { cause: error });
    }
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

  /** One page of the secrets in a scope. Secrets of the API server that hold no secret are skipped and logged. */
  async list(request: ListRequest, signal: AbortSignal): Promise<ListPage> {
    const { client, namespace, clusterName } = this.#options;
    const { scope, includeSystem, limit } = request;
    const listing = { source: [clusterName, namespace], scope, includeSystem };
    const token = request.token || request.clusterTokens[clusterName];
    let position = token ? decodeListToken(listing, token) : undefined;
    const entries: SecretRecord[] = [];
    do {
      // Never more than there is room for: the next position is behind the last Secret of the page.
      const query = { namespace, labelSelector: listSelector(request), continue: position };
      const room = Math.min(PAGE, limit - entries.length);
      const page = await client.list(SECRETS, { ...query, limit: room }, { signal });
      for (const secret of page.items) {
        const id = managedId(secret);
        if (id === undefined) this.#logSkipped(secret);
        else if (isInScope(id, scope)) entries.push(this.toRecord(id, secret));
      }
      position = page.continue;
    } while (position !== undefined && entries.length < limit);
    const next = position === undefined ? "" : encodeListToken(listing, position);
    return { entries, token: next, clusterTokens: next === "" ? {} : { [clusterName]: next } };
  }

  toRecord(id: SecretId, secret: KubeSecret): SecretRecord {
    return toRecord(id, secret, this.#options.clusterName);
  }

  #logSkipped(secret: KubeSecret): void {
    const { namespace, log } = this.#options;
    const { what, remedy } = describeMisnamed(secret);
    log.warn({ namespace, secret: secret.metadata.name, remedy }, `skipped a Secret that holds no secret: ${what}`);
  }
}

/** The error for a secret that does not exist. */
export const notFound = (id: SecretId) => new SecretsError("not_found", `secret ${id.name} not found`);
