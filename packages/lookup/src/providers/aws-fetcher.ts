import type {
  SecretsManagerClient,
  SecretsManagerClientConfig,
  SecretValueEntry,
} from "@aws-sdk/client-secrets-manager";
import { encodeSecretId, encodeShortSecretId, type FetchedValue, SecretsError, SecretValue } from "@flyte-secrets/core";
import {
  errorName,
  explainFailure,
  type ManagerHints,
  readAsEmpty,
  refused,
  unavailable,
  unreadable,
} from "./fetch-failures.ts";
import { type NamedBackend, type ReadOptions, readEach, severalAtOnce } from "./named-fetcher.ts";

const NAME = "AWS";
/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const MAX_BATCH = 20;
/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html */
const MAX_NAME = 512;

export interface AwsOptions {
  /** Empty: the one that the AWS SDK finds, such as AWS_REGION or that of a profile. */
  readonly region: string;
  /** URL of another endpoint, for private ones and tests. Empty: the region's own. */
  readonly endpoint: string;
}

/**
 * AWS Secrets Manager, stage `AWSCURRENT`: the encoded id, then Flyte's documented short form, 20 names a call. Where
 * `BatchGetSecretValue` is not allowed, each name is read by itself. `client` is for what the configuration doesn't have.
 */
export async function openAws(
  { region, endpoint }: AwsOptions,
  client: SecretsManagerClientConfig = {},
): Promise<NamedBackend> {
  const sdk = await import("@aws-sdk/client-secrets-manager");
  const manager = new sdk.SecretsManagerClient({
    maxAttempts: 2,
    ...(region !== "" && { region }),
    ...(endpoint !== "" && { endpoint }),
    ...client,
  });
  await assertRegion(manager);
  let mayBatch = true;

  async function readOne(name: string, { signal }: ReadOptions): Promise<SecretValue | undefined> {
    try {
      const command = new sdk.GetSecretValueCommand({ SecretId: name });
      return toValue(name, await manager.send(command, { abortSignal: signal }));
    } catch (error) {
      return absentOr(toFailure(name, error));
    }
  }

  /** Names of which the answer says nothing are left out of both. */
  async function readBatch(names: readonly string[], { signal }: ReadOptions): Promise<Map<string, Outcome>> {
    const command = new sdk.BatchGetSecretValueCommand({ SecretIdList: [...names] });
    try {
      const { SecretValues = [], Errors = [] } = await manager.send(command, { abortSignal: signal });
      const outcomes = new Map<string, Outcome>();
      for (const { SecretId = "", ErrorCode = "" } of Errors)
        outcomes.set(SecretId, toFailureOfCode(SecretId, ErrorCode));
      for (const name of names) {
        const entry = SecretValues.find((one) => isOf(name, one));
        if (entry) outcomes.set(name, valueOrError(name, entry));
      }
      return outcomes;
    } catch (error) {
      const failure = toFailure(names[0] ?? "", error);
      if (failure !== "absent" && !SINGLE_INSTEAD.has(errorName(error))) throw failure;
      if (errorName(error) === "AccessDeniedException") mayBatch = false;
      return new Map();
    }
  }

  async function readSome(names: readonly string[], options: ReadOptions): Promise<Map<string, FetchedValue>> {
    const outcomes = mayBatch && names.length > 1 ? await readBatch(names, options) : new Map<string, Outcome>();
    const rest = names.filter((name) => !outcomes.has(name));
    const read = await readEach(rest, (name) => readOne(name, options));
    for (const [name, outcome] of outcomes) if (outcome !== "absent") read.set(name, outcome);
    return read;
  }

  return {
    name: NAME,
    namesOf: (id) => {
      const names = [encodeSecretId(id), encodeShortSecretId(id)];
      return names.filter((name) => name !== undefined).filter((name) => name.length <= MAX_NAME);
    },
    async read(names, options) {
      const starts = names.map((_, at) => at).filter((at) => at % MAX_BATCH === 0);
      const read = new Map<string, FetchedValue>();
      await severalAtOnce(starts, async (at) => {
        for (const [name, value] of await readSome(names.slice(at, at + MAX_BATCH), options)) read.set(name, value);
      });
      return read;
    },
  };
}

type Outcome = FetchedValue | "absent";

/** Failures of a whole batch after which its secrets are read one by one: it isn't allowed, isn't known, or one name spoils it. */
const SINGLE_INSTEAD: ReadonlySet<string> = new Set([
  "AccessDeniedException",
  "InvalidParameterException",
  "InvalidRequestException",
  "UnknownOperationException",
  "ValidationException",
]);

async function assertRegion({ config }: SecretsManagerClient): Promise<void> {
  try {
    await config.region();
  } catch {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.awsConfig.region is not set, and neither AWS_REGION nor a profile says which: set one of them",
    );
  }
}

function toValue(name: string, answer: SecretValueEntry): SecretValue {
  const { SecretString, SecretBinary } = answer;
  if (!isOf(name, answer)) throw unavailable(NAME, name, "the answer is for another secret");
  if (SecretString !== undefined) return SecretValue.fromText(SecretString);
  if (SecretBinary !== undefined) return SecretValue.fromBytes(SecretBinary);
  throw readAsEmpty(NAME, name);
}

/**
 * What AWS puts behind the name in an ARN; whoever asks may leave it out
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen).
 */
const ARN_END = /-[a-zA-Z0-9]{6}$/;

/**
 * Whether an answer is that of the secret which was asked for by its name, its ARN, or the ARN without what AWS puts
 * behind it.
 */
function isOf(asked: string, { Name, ARN }: Pick<SecretValueEntry, "Name" | "ARN">): boolean {
  if (asked === Name || asked === ARN) return true;
  return ARN !== undefined && asked.startsWith("arn:") && ARN_END.test(ARN) && asked === ARN.replace(ARN_END, "");
}

function valueOrError(name: string, answer: SecretValueEntry): FetchedValue {
  try {
    return toValue(name, answer);
  } catch (error) {
    return error instanceof SecretsError ? error : unavailable(NAME, name, errorName(error));
  }
}

function toFailure(name: string, error: unknown): SecretsError | "absent" {
  return error instanceof SecretsError ? error : toFailureOfCode(name, errorName(error), error);
}

const HINTS: ManagerHints = {
  settings: "awsConfig.region and awsConfig.endpoint",
  busy: /^(?:Throttl\w*|TooManyRequests\w*|RequestLimitExceeded|SlowDown)$/,
  broken: /^(?:InternalServiceError|InternalFailure|ServiceUnavailable\w*)$/,
};

const CREDENTIALS =
  "give the webhook credentials that AWS accepts (EKS Pod Identity or IRSA of its service account, or AWS_ACCESS_KEY_ID and its like)";

function toFailureOfCode(name: string, code: string, error?: unknown): SecretsError | "absent" {
  switch (code) {
    case "ResourceNotFoundException":
      return "absent";
    case "AccessDeniedException":
      return refused(NAME, name, { detail: code, remedy: "allow the webhook secretsmanager:GetSecretValue on it" });
    case "DecryptionFailure":
      return refused(NAME, name, { detail: code, remedy: "allow the webhook kms:Decrypt with the secret's key" });
    case "CredentialsProviderError":
    case "ExpiredTokenException":
    case "IncompleteSignature":
    case "InvalidClientTokenId":
    case "InvalidSignatureException":
    case "MissingAuthenticationToken":
    case "TokenProviderError":
    case "UnrecognizedClientException":
      return refused(NAME, name, { detail: code, remedy: CREDENTIALS });
    case "RequestExpired":
    case "RequestTimeTooSkewed":
      return refused(NAME, name, { detail: code, remedy: "set the clock of the webhook's node by NTP" });
    case "InvalidParameterException":
    case "ValidationException":
      return unreadable(
        NAME,
        name,
        `AWS takes this for no name (${code}): write a secret's name, or an ARN of the region that the webhook asks`,
      );
    case "InvalidRequestException":
      return unreadable(NAME, name, "it is marked for deletion: restore it, or wait until it is gone");
    default:
      return unavailable(NAME, name, explainFailure(error, code, HINTS));
  }
}

function absentOr(failure: SecretsError | "absent"): undefined {
  if (failure === "absent") return undefined;
  throw failure;
}
