import { encodeSecretId, encodeShortSecretId, raceSignal, SecretsError, SecretValue } from "@flyte-secrets/core";
import type { protos, SecretManagerServiceClient } from "@google-cloud/secret-manager";
import {
  errorName,
  explainFailure,
  type ManagerHints,
  readAsEmpty,
  refused,
  unavailable,
  unreadable,
} from "./fetch-failures.ts";
import { type NamedBackend, type ReadOptions, readEach } from "./named-fetcher.ts";

const NAME = "GCP";
/** https://cloud.google.com/secret-manager/docs/reference/rpc/google.cloud.secretmanager.v1#createsecretrequest */
const SECRET_NAME = /^[-_a-zA-Z0-9]{1,255}$/;

/** The SDK takes no signal: so long at the most does a call go on that nobody waits for any more. */
const CALL_TIMEOUT_MS = 10_000;

/** gRPC's status codes (https://grpc.io/docs/guides/status-codes/) that say more than "try again". */
const STATUS = { INVALID_ARGUMENT: 3, NOT_FOUND: 5, PERMISSION_DENIED: 7, FAILED_PRECONDITION: 9, UNAUTHENTICATED: 16 };

type Client = Pick<SecretManagerServiceClient, "accessSecretVersion">;
type ClientOptions = ConstructorParameters<typeof SecretManagerServiceClient>[0];

export interface GcpOptions {
  /** The project of the secrets. */
  readonly project: string;
  /** URL of another endpoint, for private ones and tests. Empty: Google's. */
  readonly endpoint: string;
}

/**
 * Google Secret Manager, version `latest`: the encoded id, then Flyte's documented short form. Over gRPC, where an answer that is not
 * Secret Manager's own is never taken for "not found". `client` is for what the configuration doesn't have.
 */
export async function openGcp({ project, endpoint }: GcpOptions, client: ClientOptions = {}): Promise<NamedBackend> {
  if (project === "") {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.gcpConfig.project is not set: write the project of the secrets",
    );
  }
  const sdk = await import("@google-cloud/secret-manager");
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
    // No retries: the cache has its own way with a backend that is down, and a pod is waiting.
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
  // It answers with the project's number and the version's: `projects/123/secrets/NAME/versions/4`.
  const [, , , secret] = name.split("/");
  if (answered?.split("/")[3] !== secret) throw unavailable(NAME, name, "the answer is for another secret");
  const data = payload?.data;
  if (typeof data === "string") return SecretValue.fromBytes(Buffer.from(data, "base64"));
  if (data) return SecretValue.fromBytes(data);
  throw readAsEmpty(NAME, name);
}

function toFailure(name: string, error: unknown): SecretsError | "absent" {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case STATUS.NOT_FOUND:
      return "absent";
    case STATUS.PERMISSION_DENIED:
      return refused(NAME, name, {
        detail: "PERMISSION_DENIED",
        remedy: "give the webhook's service account roles/secretmanager.secretAccessor",
      });
    case STATUS.UNAUTHENTICATED:
      return refused(NAME, name, {
        detail: "UNAUTHENTICATED",
        remedy:
          "give the webhook credentials that Google accepts (Workload Identity, or GOOGLE_APPLICATION_CREDENTIALS)",
      });
    case STATUS.FAILED_PRECONDITION:
      return unreadable(NAME, name, "its latest version is disabled or destroyed: enable it, or add a version");
    case STATUS.INVALID_ARGUMENT:
      return unreadable(NAME, name, "it is not asked for as it should be: check gcpConfig.project");
    default:
      return unavailable(NAME, name, explainFailure(error, statusName(code) ?? errorName(error), HINTS));
  }
}

const HINTS: ManagerHints = {
  settings: "gcpConfig.project and gcpConfig.endpoint",
  busy: /^RESOURCE_EXHAUSTED$/,
  broken: /^(?:UNKNOWN|INTERNAL|DATA_LOSS|ABORTED)$/,
};

/** As gRPC calls it. */
function statusName(code: unknown): string | undefined {
  if (typeof code !== "number") return undefined;
  return STATUS_NAMES[code] ?? `status ${code}`;
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  2: "UNKNOWN",
  4: "DEADLINE_EXCEEDED",
  8: "RESOURCE_EXHAUSTED",
  10: "ABORTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  15: "DATA_LOSS",
};

function toAddress(endpoint: string): { apiEndpoint?: string; port?: number } {
  if (endpoint === "") return {};
  const { hostname, port } = new URL(endpoint);
  return { apiEndpoint: hostname, ...(port !== "" && { port: Number(port) }) };
}
