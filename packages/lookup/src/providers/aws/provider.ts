import type {
  SecretsManagerClient,
  SecretsManagerClientConfig,
  SecretValueEntry,
} from "@aws-sdk/client-secrets-manager";
import {
  encodeSecretId,
  encodeShortSecretId,
  type FetchedValue,
  importOptional,
  SecretsError,
  SecretValue,
} from "@flyte-secrets/core";
import { errorName, readAsEmpty, unavailable } from "../failures.ts";
import { forEachConcurrently, type ReadOptions, readEach, type SecretProvider } from "../secret-provider.ts";
import { NAME, toFailure, toFailureOfCode } from "./failures.ts";

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
 * AWS Secrets Manager, stage `AWSCURRENT`. Names: the encoded id, then Flyte's documented short form. Up to 20 names
 * are read in one call; where `BatchGetSecretValue` is not allowed, each is read by itself. `client` sets options of
 * the SDK, for tests.
 */
export async function openAws(
  { region, endpoint }: AwsOptions,
  client: SecretsManagerClientConfig = {},
): Promise<SecretProvider> {
  const sdk = await importOptional(() => import("@aws-sdk/client-secrets-manager"), {
    neededBy: "webhook.embeddedSecretManagerConfig.type AWS",
    packages: ["@aws-sdk/client-secrets-manager@3"],
  });
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

  /** Names that the response mentions neither as a value nor as an error are left out. */
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
      await forEachConcurrently(starts, async (at) => {
        for (const [name, value] of await readSome(names.slice(at, at + MAX_BATCH), options)) read.set(name, value);
      });
      return read;
    },
  };
}

type Outcome = FetchedValue | "absent";

/**
 * Failures of a batch after which its names are read one by one: the call is not allowed or unknown, or one name is
 * invalid.
 */
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
      "webhook.embeddedSecretManagerConfig.awsConfig.region is not set, and neither AWS_REGION nor a profile says " +
        "which: " +
        "set one of them",
    );
  }
}

function toValue(name: string, answer: SecretValueEntry): SecretValue {
  const { SecretString, SecretBinary } = answer;
  if (!isOf(name, answer)) throw unavailable(NAME, name, "the response is for another secret");
  if (SecretString !== undefined) return SecretValue.fromText(SecretString);
  if (SecretBinary !== undefined) return SecretValue.fromBytes(SecretBinary);
  throw readAsEmpty(NAME, name);
}

/**
 * The suffix that AWS appends to the name in an ARN; callers may leave it out
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen).
 */
const ARN_SUFFIX = /-[a-zA-Z0-9]{6}$/;

/**
 * Whether a response is for the secret that was requested by its name, its ARN, or its ARN without {@link ARN_SUFFIX}.
 */
function isOf(requested: string, { Name, ARN }: Pick<SecretValueEntry, "Name" | "ARN">): boolean {
  if (requested === Name || requested === ARN) return true;
  return (
    ARN !== undefined &&
    requested.startsWith("arn:") &&
    ARN_SUFFIX.test(ARN) &&
    requested === ARN.replace(ARN_SUFFIX, "")
  );
}

function valueOrError(name: string, answer: SecretValueEntry): FetchedValue {
  try {
    return toValue(name, answer);
  } catch (error) {
    return error instanceof SecretsError ? error : unavailable(NAME, name, errorName(error));
  }
}

function absentOr(failure: SecretsError | "absent"): undefined {
  if (failure === "absent") return undefined;
  throw failure;
}
