import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import {
  CONSISTENCY_HEADER,
  checkExistingId,
  checkExistingScope,
  checkSecretId,
  encodeSecretId,
  FORCE_HEADER,
  isSecretsError,
  quote,
  type SecretId,
  type SecretStore,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import {
  type SecretIdentifier,
  SecretIdentifierSchema,
  type SecretService,
  type SecretSpec,
  SecretType,
} from "@flyte-secrets/idl";
import type { Logger } from "pino";
import type { Invalidate } from "../invalidation.ts";
import type { CallScope } from "../rpc/call-context.ts";
import { checkDockerConfig, checkImagePullScope } from "./image-pull-secret.ts";
import { checkRequestId } from "./request-rules.ts";
import { toSecretMessage } from "./secret-message.ts";

const DEFAULT_PAGE = 500;
const MAX_PAGE = 10_000;

export interface SecretHandlerParts {
  readonly store: SecretStore;
  readonly organization: string;
  readonly invalidate: Invalidate;
  readonly log: Logger;
}

type Methods = (typeof SecretService)["method"];

/** Each call of Flyte's SecretService. */
export type SecretHandlers = {
  readonly [Name in keyof Methods]: (
    request: MessageShape<Methods[Name]["input"]>,
    scope: CallScope,
  ) => Promise<MessageInitShape<Methods[Name]["output"]>>;
};

/** The five calls of Flyte's SecretService over one store. They throw SecretsError. */
export function createSecretHandlers(parts: SecretHandlerParts): SecretHandlers {
  const { store, organization, invalidate, log } = parts;

  const { maxIdLength } = store;
  const toId = (message: SecretIdentifier | undefined): SecretId => {
    const { name = "", domain = "", project = "" } = message ?? {};
    return { org: organization, domain, project, name };
  };
  /** The id of a secret that may exist by looser rules: Flyte's service accepts names that its own IDL forbids. */
  const toExistingId = (message: SecretIdentifier | undefined): SecretId => {
    const id = toId(message);
    checkExistingId(id, { maxIdLength });
    return id;
  };

  /**
   * Runs one write, and logs how it ended. Caches are invalidated when something changed, and by every delete: with one
   * that finds nothing, an operator clears a cache of a secret that the store no longer has.
   */
  const write = async (action: "create" | "update" | "delete", id: SecretId, run: () => Promise<unknown>) => {
    const secret = encodeSecretId(id);
    try {
      await run();
      log.info({ action, secret, outcome: "ok" }, `secret ${action}`);
    } catch (error) {
      log.info(
        { action, secret, outcome: isSecretsError(error) ? error.code : "internal" },
        `secret ${action} refused`,
      );
      if (action === "delete") await invalidate(id);
      throw error;
    }
    await invalidate(id);
  };

  return {
    async createSecret(request, context) {
      checkRequestId(request.id, { isNew: true });
      const id = toId(request.id);
      checkSecretId(id, { maxIdLength });
      await write("create", id, async () => {
        const type = toType(request.secretSpec);
        if (type === "image_pull") checkImagePullScope(id);
        const value = toValue(request.secretSpec);
        if (type === "image_pull") checkDockerConfig(value);
        await store.create(id, { value, type }, options(context));
      });
      return {};
    },

    async updateSecret(request, context) {
      checkRequestId(request.id, { isNew: false });
      const id = toExistingId(request.id);
      await write("update", id, async () => {
        const record = await store.get(id, options(context));
        if (record === undefined) throw notFound(id);
        const value = toValue(request.secretSpec);
        if (toType(request.secretSpec) !== "generic" && record.type === "generic") throw typeChanged(id);
        if (record.type === "image_pull") checkDockerConfig(value);
        await store.update(id, value, changeOptions(context));
      });
      return {};
    },

    async getSecret(request, context) {
      checkRequestId(request.id, { isNew: false });
      const id = toExistingId(request.id);
      const record = await store.get(id, options(context, request.includeSystemSecrets));
      if (record === undefined) throw notFound(id);
      return { secret: toSecretMessage(request.id ?? create(SecretIdentifierSchema), record) };
    },

    async deleteSecret(request, context) {
      checkRequestId(request.id, { isNew: false });
      const id = toExistingId(request.id);
      await write("delete", id, () => store.delete(id, changeOptions(context, request.includeSystemSecrets)));
      return {};
    },

    async listSecrets(request, context) {
      const scope = { org: organization, domain: request.domain, project: request.project };
      checkExistingScope(scope);
      if (request.limit < 0) {
        throw new SecretsError("invalid_argument", `limit: must not be negative; 0 is a page of ${DEFAULT_PAGE}`);
      }
      const page = await store.list(
        {
          scope,
          limit: Math.min(request.limit === 0 ? DEFAULT_PAGE : request.limit, MAX_PAGE),
          token: request.token,
          clusterTokens: request.perClusterTokens,
          includeSystem: request.includeSystemSecrets,
        },
        options(context),
      );
      return {
        secrets: page.entries.map((record) => {
          const { name, domain, project } = record.id;
          return toSecretMessage(create(SecretIdentifierSchema, { name, domain, project }), record);
        }),
        token: page.token,
        perClusterTokens: { ...page.clusterTokens },
      };
    },
  };
}

function options(context: CallScope, includeSystem = false) {
  const consistency = context.requestHeader.get(CONSISTENCY_HEADER) ?? "eventual";
  if (consistency !== "strong" && consistency !== "eventual") {
    throw new SecretsError(
      "invalid_argument",
      `header ${CONSISTENCY_HEADER}: must be strong or eventual, not ${quote(consistency)}`,
    );
  }
  return { signal: context.signal, includeSystem, ...(consistency === "strong" && { strong: true }) };
}

/** Options of a call that changes a secret, which another program may manage. */
function changeOptions(context: CallScope, includeSystem = false) {
  return { ...options(context, includeSystem), force: context.requestHeader.get(FORCE_HEADER) === "true" };
}

function toType(spec: SecretSpec | undefined): "generic" | "image_pull" {
  switch (spec?.type ?? SecretType.GENERIC) {
    case SecretType.GENERIC:
      return "generic";
    case SecretType.IMAGE_PULL_SECRET:
      return "image_pull";
    default:
      throw new SecretsError(
        "invalid_argument",
        "secret_spec.type: must be SECRET_TYPE_GENERIC or SECRET_TYPE_IMAGE_PULL_SECRET",
      );
  }
}

function toValue(spec: SecretSpec | undefined): SecretValue {
  switch (spec?.value.case) {
    case "stringValue":
      return SecretValue.fromText(spec.value.value);
    case "binaryValue":
      return SecretValue.fromBytes(spec.value.value);
    case undefined:
      throw new SecretsError("value_missing", "string or binary value expected, got <nil>");
  }
}

function notFound(id: SecretId): SecretsError {
  return new SecretsError("not_found", `secret ${id.name} not found`);
}

function typeChanged(id: SecretId): SecretsError {
  return new SecretsError(
    "invalid_argument",
    `secret_spec.type: secret ${id.name} is generic and stays so; delete it and create an image pull secret`,
  );
}
