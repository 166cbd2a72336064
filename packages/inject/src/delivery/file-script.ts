import { quote, SecretsError, SecretValue } from "@flyte-secrets/core";
import { SECRETS_DIRECTORY } from "../managers/injector.ts";
import type { EnvVar } from "../pod/pod.ts";

/** Linux allows 131,072 bytes for one `NAME=value` and its NUL (`MAX_ARG_STRLEN`). */
const MAX_VARIABLE_LENGTH = 131_000;

/** The base64 characters of one line, a multiple of 4. Two lines with the longest keys fit into a variable. */
const MAX_LINE_DATA = 65_000;

/** Linux allows 2 MiB for all variables and arguments under the usual stack limit; etcd allows 1.5 MiB for a pod. */
const MAX_LENGTH = 1_450_000;

/** Names that are safe in a line before `=` or `+`, for the kubelet and for the script: Kubernetes' data keys. */
const FILE_NAME = /^[-._a-zA-Z0-9]+$/;

/**
 * Writes the files in the variables of {@link encodeFiles}, with the programs of every busybox. It passes nothing large
 * to another program, avoids `read` (one system call for each byte), and keeps texts short, because busybox takes
 * quadratic time for them. It contains no `$$` and no `$(NAME)`, which the kubelet would replace.
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
 * The variables that hold the files for the init container: `SECRETS` has a line `<key>=<base64>` for each. A long file
 * continues in lines `<key>+<base64>`. A variable that is full ends with a line `+` and continues in `SECRETS_1`, then
 * `SECRETS_2`, and so on. Throws `value_too_large` for more than fits into a pod, and `not_injected` for a name that
 * isn't safe in a line.
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
    `the files of this pod take ${length} characters in base64, over the limit of ${MAX_LENGTH} for delivery ` +
      "Inline: use delivery SecretRef",
  );
}

/**
 * The inverse of {@link encodeFiles}: the files that {@link FILES_SCRIPT} would write for the variables of one
 * container; none without a variable `SECRETS`. Throws `invalid_argument` for variables on which the script would fail.
 * The message contains no part of a value.
 */
export function decodeFiles(variables: readonly EnvVar[]): Map<string, SecretValue> {
  // Of two variables of one name, the container gets the last.
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

/** Adds `key=data`, which begins a file, or `key+data`, which continues it. */
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

/** Decodes each part separately, as the script does. */
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
        `delivery Inline can write no file ${quote(key)}, only names of letters, digits, "-", "_" and ".": ask ` +
          "for a variable, or use delivery SecretRef",
      );
    }
    const data = value.revealBase64();
    yield `${key}=${data.slice(0, MAX_LINE_DATA)}\n`;
    for (let start = MAX_LINE_DATA; start < data.length; start += MAX_LINE_DATA) {
      yield `${key}+${data.slice(start, start + MAX_LINE_DATA)}\n`;
    }
  }
}
