import { excerpt, type SecretRequest, SecretsError } from "@flyte-secrets/core";
import { MountType, Secret } from "@flyte-secrets/sdk";

/** Flyte's rule. */
const VARIABLE = /^[A-Z_][A-Z0-9_]*$/;

/** The request of `-s [GROUP/]KEY[=VARIABLE]`: the value in a variable, by default the one that Flyte derives. */
export function parseVariableRequest(text: string): SecretRequest {
  const { key, group, variable } = parseName("-s", text);
  const { asEnvVar = "" } = new Secret({ key, group });
  if (variable === undefined && !VARIABLE.test(asEnvVar)) {
    const name = excerpt(text);
    throw new SecretsError(
      "usage",
      `-s: the variable of ${name} would be ${excerpt(asEnvVar)}, which is no name of one; choose one: -s ${name}=NAME`,
    );
  }
  return new Secret({ key, group, asEnvVar: variable }).toRequest();
}

/** The request of `--file [GROUP/]KEY[=VARIABLE]`: a file, and its path in the variable. */
export function parseFileRequest(text: string): SecretRequest {
  const { key, group, variable } = parseName("--file", text);
  return new Secret({ key, group, mountRequirement: MountType.FILE, envVar: variable }).toExactRequest();
}

/** A group may have slashes. No message quotes what follows the `=`: people take that for the place of the value. */
function parseName(option: string, text: string) {
  const [, group, key, variable] = /^(?:([^=]+)\/)?([^/=]+)(?:=(.*))?$/s.exec(text) ?? [];
  if (key === undefined) throw new SecretsError("usage", `${option} takes KEY, GROUP/KEY or KEY=VARIABLE`);
  if (variable !== undefined && !VARIABLE.test(variable)) {
    throw new SecretsError(
      "usage",
      `${option}: what follows the = is the name of a variable, in capital letters, digits and _; the value is that ` +
        "of the secret",
    );
  }
  return { key, group, variable };
}
