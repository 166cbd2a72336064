import type { DescMethod } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { SecretId, SecretStore } from "@flyte-secrets/core";
import { AuthMetadataService, ClusterService, LookupService, SecretService } from "@flyte-secrets/idl";
import type { Logger } from "pino";
import type { Authentication } from "./auth/authentication.ts";
import { clusterHandlers } from "./handlers/cluster-handlers.ts";
import { createLookupHandlers } from "./handlers/lookup-handlers.ts";
import { createSecretHandlers } from "./handlers/secret-handlers.ts";
import { createInvalidation } from "./invalidation.ts";
import { createReflection } from "./reflection/reflection.ts";
import { createCallOptions } from "./rpc/call-options.ts";
import type { ServiceConfig } from "./service-options.ts";
import { createUnaryCall, type UnaryCall } from "./unary/unary-call.ts";

export interface RouteParts {
  readonly store: SecretStore;
  readonly config: ServiceConfig;
  readonly authentication: Authentication;
  readonly log: Logger;
  /** Called with each call in flight. */
  readonly onCall: (running: Promise<unknown>) => void;
  /** Called with the id of each write, before webhooks in other processes are notified. */
  readonly onWrite: ((id: SecretId) => void) | undefined;
}

/** The calls of this server. */
export interface Routes {
  /** Adds all RPC services, with the options of their calls, to a Connect router. */
  addTo(router: ConnectRouter): ConnectRouter;
  /** The calls of the secret service, by path, for {@link serveUnary}. */
  readonly unaryCalls: ReadonlyMap<string, UnaryCall>;
}

/** Makes the calls of this server. */
export function createRoutes(parts: RouteParts): Routes {
  const { store, config, authentication, log, onCall, onWrite } = parts;
  const { authorise } = authentication;
  const open = createCallOptions({ log, onCall, readMaxBytes: OPEN_MESSAGE_BYTES, authorise: () => {} });
  const guarded = createCallOptions({ log, onCall, readMaxBytes: SMALL_MESSAGE_BYTES, authorise });
  const secretCall = ({ input }: DescMethod, readMaxBytes = SMALL_MESSAGE_BYTES) =>
    createCallOptions({ log, onCall, readMaxBytes, authorise, input });
  const withValue = messageLimit(store.maxValueBytes);
  const notifyWebhooks = createInvalidation({ webhookURL: config.webhookURL, token: config.webhookToken, log });
  const secretHandlers = createSecretHandlers({
    store,
    organization: config.organization,
    async invalidate(id) {
      onWrite?.(id);
      await notifyWebhooks(id);
    },
    log,
  });
  const lookupHandlers = createLookupHandlers({ store, organization: config.organization });
  const addReflection = createReflection(loadPublishedServices);
  const unaryCalls = [
    createUnaryCall(createSecret, secretHandlers.createSecret, withValue),
    createUnaryCall(updateSecret, secretHandlers.updateSecret, withValue),
    createUnaryCall(getSecret, secretHandlers.getSecret, SMALL_MESSAGE_BYTES),
    createUnaryCall(deleteSecret, secretHandlers.deleteSecret, SMALL_MESSAGE_BYTES),
    createUnaryCall(listSecrets, secretHandlers.listSecrets, SMALL_MESSAGE_BYTES),
  ];
  const addTo = (router: ConnectRouter) => {
    addReflection(router, guarded);
    return router
      .rpc(createSecret, secretHandlers.createSecret, secretCall(createSecret, withValue))
      .rpc(updateSecret, secretHandlers.updateSecret, secretCall(updateSecret, withValue))
      .rpc(getSecret, secretHandlers.getSecret, secretCall(getSecret))
      .rpc(deleteSecret, secretHandlers.deleteSecret, secretCall(deleteSecret))
      .rpc(listSecrets, secretHandlers.listSecrets, secretCall(listSecrets))
      .rpc(lookupSecrets, lookupHandlers.lookupSecrets, secretCall(lookupSecrets))
      .service(ClusterService, clusterHandlers, guarded)
      .service(AuthMetadataService, authentication.handlers, open);
  };
  return { addTo, unaryCalls: new Map(unaryCalls.map((call) => [call.rpcPath, call])) };
}

const { createSecret, updateSecret, getSecret, deleteSecret, listSecrets } = SecretService.method;
const { lookupSecrets } = LookupService.method;

/** What reflection shows: the services with their files as Flyte publishes them, which nothing else needs. */
async function loadPublishedServices() {
  const published = await import("@flyte-secrets/idl/published");
  return [published.SecretService, published.ClusterService, published.AuthMetadataService, LookupService];
}

/** For calls without credentials, whose messages are empty. */
const OPEN_MESSAGE_BYTES = 4 * 1024;

/** For calls without a value: ids, and page tokens of many clusters. */
const SMALL_MESSAGE_BYTES = 64 * 1024;

/** JSON may write each byte of a value as six, such as `\\u0000`; the rest of the message is small. */
function messageLimit(maxValueBytes: number): number {
  return 6 * maxValueBytes + SMALL_MESSAGE_BYTES;
}
