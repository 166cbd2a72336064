import { SecretsError } from "./errors.ts";
import { hasSystemCode } from "./operating-system.ts";

/** An optional peer dependency: packages that only some configurations need, and that whoever needs them installs. */
export interface OptionalDependency {
  /** What needs the packages, as the subject of a sentence: `otel.type otlphttp`. */
  readonly neededBy: string;
  /** As npm takes them, each with its major version: `@aws-sdk/client-secrets-manager@3`. */
  readonly packages: readonly string[];
}

/**
 * Imports an optional peer dependency by `load`, and returns what `load` returns. Throws `invalid_config` with the
 * command that installs the packages when one of them is not installed; any other failure of `load` is thrown as it is.
 */
export async function importOptional<T>(load: () => Promise<T>, dependency: OptionalDependency): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!hasSystemCode(error, "ERR_MODULE_NOT_FOUND")) throw error;
    throw new SecretsError("invalid_config", missing(dependency), { cause: error });
  }
}

function missing({ neededBy, packages }: OptionalDependency): string {
  const [subject, pronoun] = packages.length === 1 ? ["a package that is", "it"] : ["packages that are", "them"];
  return (
    `${neededBy} needs ${subject} not installed. Install ${pronoun} where flyte-secrets is installed ` +
    `(with --global if flyte-secrets is): npm install ${packages.join(" ")}`
  );
}
