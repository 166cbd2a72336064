import { excerpt, SecretsError, SecretValue } from "@flyte-secrets/core";
import { readAssignments, secretComment } from "./dotenv-reader.ts";
import { DOTENV_READERS, type DotenvReader } from "./dotenv-readers.ts";
import { encodeDotenvValue, variableOf } from "./dotenv-writer.ts";
import { formatError, onceEach, type SecretEntry, type SecretFormat } from "./secret-entry.ts";
import { shellVariableFault } from "./shell-variables.ts";

const NAMES = { sh: "shells", compose: "docker compose", dotenv: "python-dotenv and npm's dotenv" } as const;

/**
 * `.env`. What is read, and written unless it is for one reader alone, means the same to npm's `dotenv`, python-dotenv
 * and docker compose; what is written, to bash and dash too. A secret whose name is no variable stands under the one
 * that the SDK derives, with a comment before it.
 */
export const dotenvFormat: SecretFormat = {
  name: "env",
  matches: (fileName) => /(^|\/)\.env(\..*)?$|\.env$/.test(fileName),
  parse(text) {
    const entries = readAssignments(text).map(({ line, variable, value, secret }): SecretEntry => {
      if (secret !== undefined && variableOf(secret) !== variable) {
        const found = excerpt(variable);
        throw formatError(
          `line ${line}: ${found} is not the variable of ${excerpt(secret)}, which the comment before it names`,
        );
      }
      return { name: secret ?? variable, type: "generic", value: SecretValue.fromText(value) };
    });
    return onceEach(entries);
  },
  print(entries, { reader, scoped } = {}) {
    if (scoped) throw new SecretsError("usage", "a .env file has no scopes; use --format json or kubernetes");
    const secrets = new Map<string, string>();
    return entries.map((entry) => printEntry(entry, secrets, reader)).join("");
  },
};

/** `secrets` are the variables so far, and whose they are. */
function printEntry({ name, type, value }: SecretEntry, secrets: Map<string, string>, reader?: DotenvReader): string {
  const variable = variableOf(name);
  if (variable === undefined || variable === "__proto__") {
    throw formatError(`${name} has no name that a variable can have; use --format json`);
  }
  const fault = shellVariableFault(variable);
  if (fault !== undefined) throw formatError(`${name} would be the variable ${variable}, ${fault}; use --format json`);
  const other = secrets.get(variable);
  if (other !== undefined) {
    throw formatError(`${other} and ${name} would both be the variable ${variable}; use --format json`);
  }
  secrets.set(variable, name);
  const comment = variable === name ? "" : secretComment(name);
  if (value === undefined) return `${comment}# ${variable}=\n`;
  if (type !== "generic") {
    throw formatError(`${name} is an image-pull secret, which .env cannot say; use --format json`);
  }
  return `${comment}${variable}=${encodeValue(name, value.revealText(), reader)}\n`;
}

function encodeValue(name: string, text: string | undefined, reader?: DotenvReader): string {
  if (text === undefined) {
    throw formatError(`the value of ${name} is bytes and no text, which a .env file can't hold; use --format json`);
  }
  const encoded = encodeDotenvValue(text, reader);
  if (encoded !== undefined) return encoded;
  const readers = DOTENV_READERS.filter((one) => encodeDotenvValue(text, one) !== undefined);
  const remedies = [...readers.map((one) => `--for ${one}`), "--format json"].join(" or ");
  const whom = reader === undefined ? "so that all readers take it alike" : `for ${NAMES[reader]}`;
  throw formatError(`the value of ${name} cannot be written in .env ${whom}; use ${remedies}`);
}
