import { type EnvVar, SECRETS_DIRECTORY, SecretsError, type SecretValue } from "@flyte-secrets/core";

/** Linux takes 131,072 bytes as `NAME=value` and its end (`MAX_ARG_STRLEN`). */
const MAX_VARIABLE_LENGTH = 131_000;

/** Base64 in one line, a multiple of 4: two lines with the longest keys fit into a variable. */
const MAX_LINE_DATA = 65_000;

/** Linux takes 2 MiB of variables and arguments in all under the usual stack limit; etcd takes a pod of 1.5 MiB. */
const MAX_LENGTH = 1_450_000;

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
 * another. Throws `value_too_large` for more than a pod can carry.
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

function* linesOf(files: ReadonlyMap<string, SecretValue>): Generator<string> {
  for (const [key, value] of files) {
    const data = value.revealBase64();
    yield `${key}=${data.slice(0, MAX_LINE_DATA)}\n`;
    for (let start = MAX_LINE_DATA; start < data.length; start += MAX_LINE_DATA) {
      yield `${key}+${data.slice(start, start + MAX_LINE_DATA)}\n`;
    }
  }
}
