import { quote, SecretsError, SecretValue } from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "../managers/injector.ts";
import type { EnvVar } from "../pod/pod.ts";

/** Linux takes 131,072 bytes as `NAME=value` and its end (`MAX_ARG_STRLEN`). */
const MAX_VARIABLE_LENGTH = 131_000;

/** Base64 in one line, a multiple of 4: two lines with the longest keys fit into a variable. */
const MAX_LINE_DATA = 65_000;

/** Linux takes 2 MiB of variables and arguments in all under the usual stack limit; etcd takes a pod of 1.5 MiB. */
const MAX_LENGTH = 1_450_000;

/**
 * Names that stand in a line with `=` or `+` behind them, and that the kubelet and the script leave as they are:
 * Kubernetes' data keys.
 */
const FILE_NAME = /^[-._a-zA-Z0-9]+$/;

/**
 * Decodes the variables of {@link encodeFiles} into files with what every busybox has. Nothing large is in the arguments or
 * the environment of another program, `read` is not used (a system call for every byte), and texts are kept short, because
 * busybox takes time by the square of their length. No `$$` and no `$(NAME)`: the kubelet would replace them.
 */
export const FILES_SCRIPT = `set -ef
umask 022
IFS='
'
variable=SECRETS
count=0
while [ -n "$variable" ]; do
  eval "lines=\\\${$variable}"
  unset "$variable"
  variable=
  for line in $lines; do
    key=\${line%%[=+]*}
    file=${SECRETS_DIRECTORY}/$key
    case $line in
    +)
      count=$((count + 1))
      variable=SECRETS_$count
      ;;
    "$key="*) printf %s "\${line#*=}" | base64 -d > "$file" ;;
    *) printf %s "\${line#*+}" | base64 -d >> "$file" ;;
    esac
  done
done
`;

/**
 * The variables that carry files into the init container: `SECRETS` with a line `<key>=<base64>` for each. A long one goes on in
 * lines `<key>+<base64>`, and what doesn't fit into one variable in `SECRETS_1`, `SECRETS_2`, ...: a line `+` says that there is
 * another. Throws `value_too_large` for more than a pod can carry, and `not_injected` for a name that can't stand in a line.
 */
export function encodeFiles(files: ReadonlyMap<string, SecretValue>): EnvVar[] {
  const variables: EnvVar[] = [];
  let text = "";
  let length = 0;
  const finish = (end: string) => {
    variables.push({ name: variables.length === 0 ? "SECRETS" : `SECRETS_${variables.length}`, value: text + end });
    length += text.length;
    text = "";
  };
  for (const line of linesOf(files)) {
    if (text.length + line.length > MAX_VARIABLE_LENGTH) finish("+\n");
    text += line;
  }
  finish("");
  if (length <= MAX_LENGTH) return variables;
  throw new SecretsError(
    "value_too_large",
    `the files of this pod take ${length} characters in base64, over the limit of ${MAX_LENGTH} for delivery Inline: use delivery SecretRef`,
  );
}

/**
 * The files that {@link FILES_SCRIPT} would write for the variables of one container, the inverse of {@link
 * encodeFiles}; none without a variable `SECRETS`. Throws `invalid_argument` for variables that the script would fail
 * on; the message has no part of a value.
 */
export function decodeFiles(variables: readonly EnvVar[]): Map<string, SecretValue> {
  // Of two variables of one name, a container has the last.
  const texts = new Map(variables.map(({ name, value = "" }) => [name, value]));
  const data = new Map<string, string[]>();
  for (let count = 0, variable = "SECRETS"; texts.has(variable); ) {
    let next = "";
    for (const line of (texts.get(variable) ?? "").split("\n")) {
      if (line === "") continue;
      if (line === "+") next = `SECRETS_${++count}`;
      else addLine(line, variable, data);
    }
    if (next !== "" && !texts.has(next)) throw misformed(variable, `says that there is ${next}, which is missing`);
    variable = next;
  }
  return new Map([...data].map(([key, parts]) => [key, decodeParts(key, parts)]));
}

/** `key=data` begins a file, `key+data` goes on with it. */
function addLine(line: string, variable: string, data: Map<string, string[]>): void {
  const end = line.search(/[=+]/);
  const key = line.slice(0, end);
  if (end <= 0 || !FILE_NAME.test(key))
    throw misformed(variable, "has a line that does not begin with a file's name and = or +");
  const part = line.slice(end + 1);
  if (line[end] === "=") data.set(key, [part]);
  else {
    const parts = data.get(key);
    if (parts === undefined) throw misformed(variable, `goes on with the file ${quote(key)}, which nothing began`);
    parts.push(part);
  }
}

/** Each part is decoded by itself, as the script does. */
function decodeParts(key: string, parts: readonly string[]): SecretValue {
  const bytes = parts.map((part) => Buffer.from(part, "base64"));
  if (bytes.some((decoded, at) => decoded.toString("base64") !== parts[at])) {
    throw new SecretsError("invalid_argument", `the content of the file ${quote(key)} is not base64`);
  }
  return SecretValue.fromBytes(Buffer.concat(bytes));
}

function misformed(variable: string, problem: string): SecretsError {
  return new SecretsError(
    "invalid_argument",
    `the variable ${variable} of the init container that writes files ${problem}`,
  );
}

function* linesOf(files: ReadonlyMap<string, SecretValue>): Generator<string> {
  for (const [key, value] of files) {
    if (!FILE_NAME.test(key)) {
      throw new SecretsError(
        "not_injected",
        `delivery Inline can write no file ${quote(key)}, only names of letters, digits, "-", "_" and ".": ask for a variable, or use delivery SecretRef`,
      );
    }
    const data = value.revealBase64();
    yield `${key}=${data.slice(0, MAX_LINE_DATA)}\n`;
    for (let start = MAX_LINE_DATA; start < data.length; start += MAX_LINE_DATA) {
      yield `${key}+${data.slice(start, start + MAX_LINE_DATA)}\n`;
    }
  }
}
