import {
  encodeSecretId,
  encodeShortSecretId,
  importOptional,
  raceSignal,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import type { protos, SecretManagerServiceClient } from "@google-cloud/secret-manager";
import { readAsEmpty, unavailable } from "../failures.ts";
import { type ReadOptions, readEach, type SecretProvider } from "../secret-provider.ts";
import { NAME, toFailure } from "./failures.ts";

/** https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1#createsecretrequest */
const SECRET_NAME = /^[-_a-zA-Z0-9]{1,255}$/;

/** The SDK cannot be aborted; this bounds how long an abandoned call keeps running. */
const CALL_TIMEOUT_MS = 10_000;

type Client = Pick<SecretManagerServiceClient, "accessSecretVersion">;
type ClientOptions = ConstructorParameters<typeof SecretManagerServiceClient>[0];

export interface GcpOptions {
  /** The project of the secrets. */
  readonly project: string;
  /** URL of another endpoint, for private ones and tests. Empty: Google's. */
  readonly endpoint: string;
}

/**
 * Google Secret Manager, version `latest`. Names: the encoded id, then Flyte's documented short form. It is called over
 * gRPC, where the response of another server cannot be mistaken for "not found". `client` sets options of the SDK, for
 * tests.
 */
export async function openGcp({ project, endpoint }: GcpOptions, client: ClientOptions = {}): Promise<SecretProvider> {
  if (project === "") {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.gcpConfig.project is not set: write the project of the secrets",
    );
  }
  const sdk = await importOptional(() => import("@google-cloud/secret-manager"), {
    neededBy: "webhook.embeddedSecretManagerConfig.type GCP",
    packages: ["@google-cloud/secret-manager@7"],
  });
  const manager = new sdk.SecretManagerServiceClient({ ...toAddress(endpoint), ...client });
  return {
    name: NAME,
    namesOf: (id) =>
      [encodeSecretId(id), encodeShortSecretId(id)]
        .filter((name) => name !== undefined)
        .filter((name) => SECRET_NAME.test(name))
        .map((name) => `projects/${project}/secrets/${name}/versions/latest`),
    read: (names, options) => readEach(names, (name) => readOne(manager, name, options)),
  };
}

async function readOne(manager: Client, name: string, { signal }: ReadOptions): Promise<SecretValue | undefined> {
  try {
    // No retries: a pod is waiting, and the cache handles a backend that is down.
    const call = () => manager.accessSecretVersion({ name }, { retry: null, timeout: CALL_TIMEOUT_MS });
    const [answer] = await raceSignal(signal, call);
    return toValue(name, answer);
  } catch (error) {
    if (error instanceof SecretsError) throw error;
    const failure = toFailure(name, error);
    if (failure === "absent") return undefined;
    throw failure;
  }
}

function toValue(
  name: string,
  { name: answered, payload }: protos.google.cloud.secretmanager.v1.IAccessSecretVersionResponse,
): SecretValue {
  // The response has the numbers of project and version: `projects/123/secrets/NAME/versions/4`.
  const [, , , secret] = name.split("/");
  if (answered?.split("/")[3] !== secret) throw unavailable(NAME, name, "the response is for another secret");
  const data = payload?.data;
  if (typeof data === "string") return SecretValue.fromBytes(Buffer.from(data, "base64"));
  if (data) return SecretValue.fromBytes(data);
  throw readAsEmpty(NAME, name);
}

function toAddress(endpoint: string): { apiEndpoint?: string; port?: number } {
  if (endpoint === "") return {};
  const { hostname, port } = new URL(endpoint);
  return { apiEndpoint: hostname, ...(port !== "" && { port: Number(port) }) };
}
