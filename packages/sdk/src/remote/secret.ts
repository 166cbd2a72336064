import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { FORCE_HEADER, SecretsError } from "@flyte-secrets/core";
import {
  OverallStatus,
  readUpdatedTime,
  type Secret as SecretMessage,
  SecretPresenceStatus,
  SecretSchema,
  SecretType as WireType,
} from "@flyte-secrets/idl";
import { currentClient } from "./current-client.ts";
import { type SecretInput, type SecretType, scopeFor, toWriteRequest } from "./secret-input.ts";
import type { CallOptions, SecretsClient } from "./secrets-client.ts";

/** Options of every method. */
export interface SecretCallOptions extends CallOptions {
  /** The client. Default: that of `init`. */
  readonly client?: SecretsClient | undefined;
}

/** Options of methods that change an existing secret. */
export interface SecretChangeOptions extends SecretCallOptions {
  /**
   * Whether to change it even if something else manages it in the cluster, such as an External Secret. Default:
   * `call_refused`.
   */
  readonly force?: boolean | undefined;
}

/** Flyte's words for the presence of a secret in the clusters. */
export type SecretStatus = keyof typeof OverallStatus;

/** Whether one cluster has the secret. */
export interface ClusterStatus {
  readonly cluster: string;
  readonly status: keyof typeof SecretPresenceStatus;
}

const STATUSES = {
  [OverallStatus.UNSPECIFIED]: "UNSPECIFIED",
  [OverallStatus.PARTIALLY_PRESENT]: "PARTIALLY_PRESENT",
  [OverallStatus.FULLY_PRESENT]: "FULLY_PRESENT",
  [OverallStatus.UNKNOWN_STATUS]: "UNKNOWN_STATUS",
} as const satisfies Record<OverallStatus, SecretStatus>;

const PRESENCES = {
  [SecretPresenceStatus.UNKNOWN]: "UNKNOWN",
  [SecretPresenceStatus.MISSING]: "MISSING",
  [SecretPresenceStatus.PRESENT]: "PRESENT",
} as const satisfies Record<SecretPresenceStatus, ClusterStatus["status"]>;

/**
 * A secret without its value, as the service returns it. The static methods call the service at the scope that `init`
 * has set. They reject with a SecretsError that has the server's message.
 */
export class Secret {
  readonly #message: SecretMessage;

  private constructor(message: SecretMessage) {
    this.#message = message;
  }

  /** Creates a secret: `already_exists` when there is one. */
  static async create(input: SecretInput & SecretCallOptions): Promise<void> {
    const client = input.client ?? (await currentClient());
    const request = toWriteRequest(client.connection, "creating", input);
    await client.call({ ...input, changes: true }, (service, rpc) => service.createSecret(request, rpc));
  }

  /** Replaces a secret's value: `not_found` when there is none. */
  static async update(input: SecretInput & SecretChangeOptions): Promise<void> {
    const client = input.client ?? (await currentClient());
    const request = toWriteRequest(client.connection, "updating", input);
    await client.call({ ...input, changes: true }, (service, rpc) =>
      service.updateSecret(request, { ...rpc, ...forced(input) }),
    );
  }

  /** Returns a secret: `not_found` when there is none. */
  static async get(name: string, options: SecretCallOptions = {}): Promise<Secret> {
    const client = options.client ?? (await currentClient());
    const id = { ...scopeFor(client.connection, "getting", options.clusterPool), name };
    const { secret } = await client.call(options, (service, rpc) => service.getSecret({ id }, rpc));
    if (secret === undefined)
      throw new SecretsError("internal", `${client.connection.endpoint} answered without a secret.`);
    return new Secret(secret);
  }

  /**
   * Iterates over the secrets of the scope and of narrower ones, in the service's order. Pages of `limit` (default 100)
   * are requested as needed.
   */
  static async *listall(
    options: SecretCallOptions & { readonly limit?: number | undefined } = {},
  ): AsyncGenerator<Secret, void> {
    const client = options.client ?? (await currentClient());
    const scope = scopeFor(client.connection, "listing", options.clusterPool);
    let token = "";
    do {
      const request = { ...scope, limit: options.limit ?? 100, token };
      const page = await client.call(options, (service, rpc) => service.listSecrets(request, rpc));
      for (const secret of page.secrets) yield new Secret(secret);
      token = page.token;
    } while (token !== "");
  }

  /** Deletes a secret: `not_found` when there is none. */
  static async delete(name: string, options: SecretChangeOptions = {}): Promise<void> {
    const client = options.client ?? (await currentClient());
    const id = { ...scopeFor(client.connection, "deleting", options.clusterPool), name };
    await client.call({ ...options, changes: true }, (service, rpc) =>
      service.deleteSecret({ id }, { ...rpc, ...forced(options) }),
    );
  }

  get name(): string {
    return this.#message.id?.name ?? "";
  }

  /** Empty unless the secret belongs to one. */
  get project(): string {
    return this.#message.id?.project ?? "";
  }

  /** Empty unless the secret belongs to one. */
  get domain(): string {
    return this.#message.id?.domain ?? "";
  }

  get type(): SecretType {
    return this.#message.secretMetadata?.type === WireType.IMAGE_PULL_SECRET ? "image_pull" : "regular";
  }

  get createdTime(): Date | undefined {
    const created = this.#message.secretMetadata?.createdTime;
    return created && timestampDate(created);
  }

  /** When its value was last written; undefined if the service does not report it. Flyte's own service does not. */
  get updatedTime(): Date | undefined {
    const updated = this.#message.secretMetadata && readUpdatedTime(this.#message.secretMetadata);
    return updated && timestampDate(updated);
  }

  /** Its presence in all clusters together. */
  get status(): SecretStatus {
    const status = this.#message.secretMetadata?.secretStatus?.overallStatus ?? OverallStatus.UNSPECIFIED;
    return STATUSES[status] ?? "UNKNOWN_STATUS";
  }

  get clusterStatus(): readonly ClusterStatus[] {
    return (this.#message.secretMetadata?.secretStatus?.clusterStatus ?? []).map(({ cluster, presenceStatus }) => ({
      cluster: cluster?.name ?? "",
      status: PRESENCES[presenceStatus] ?? "UNKNOWN",
    }));
  }

  /** The message in protobuf's JSON, as Flyte's clients print it. */
  toJSON(): JsonValue {
    return toJson(SecretSchema, this.#message);
  }
}

function forced({ force }: SecretChangeOptions) {
  return force ? { headers: { [FORCE_HEADER]: "true" } } : {};
}
