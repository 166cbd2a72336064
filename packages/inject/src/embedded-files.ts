import { type EnvVar, SECRETS_DIRECTORY, SecretsError, type SecretValue } from "@flyte-secrets/core";

/** Characters a variable's value may have, so that its name and end fit too into what Linux takes (`MAX_ARG_STRLEN`). */
const MAX_PART_LENGTH = 131_000;

/** Linux takes 2 MiB of variables and arguments in all with the usual stack limit; etcd takes 1.5 MiB for a pod. */
const MAX_LENGTH = 1_450_000;

/**
 * Decodes the variables of {@link encodeFiles} into files, with what every busybox has. Without `read`, which takes a system
 * call for every byte, and with nothing large in the environment or arguments of another process.
 */
export const FILES_SCRIPT = `set -ef
umask 022
all=$SECRETS
unset SECRETS
n=0
while [ "\${all%+}" != "$all" ]; do
  n=$((n + 1))
  eval "all=\\\${all%+}\\$SECRETS_$n"
  unset "SECRETS_$n"
done
IFS='
'
for line in $all; do
  printf %s "\${line#*=}" | base64 -d > "${SECRETS_DIRECTORY}/\${line%%=*}"
done
`;

/**
 * The variables that carry files into the init container: `SECRETS` with a line `<key>=<base64>` for each. What doesn't fit
 * into one variable goes on in `SECRETS_1`, `SECRETS_2`, ...; a `+` at the end says so (the last line ends in a line break). Throws
 * `value_too_large` for more than a pod can carry.
 */
export function encodeFiles(files: ReadonlyMap<string, SecretValue>): EnvVar[] {
  let text = "";
  for (const [key, value] of files) text += `${key}=${value.revealBase64()}\n`;
  if (text.length > MAX_LENGTH) {
    throw new SecretsError(
      "value_too_large",
      `the files of this pod take ${text.length} characters in base64, over the limit of ${MAX_LENGTH} for delivery Inline: use delivery SecretRef`,
    );
  }
  const variables: EnvVar[] = [];
  for (let start = 0; start < text.length; start += MAX_PART_LENGTH) {
    const part = text.slice(start, start + MAX_PART_LENGTH);
    const more = start + MAX_PART_LENGTH < text.length ? "+" : "";
    variables.push({ name: start === 0 ? "SECRETS" : `SECRETS_${variables.length}`, value: part + more });
  }
  return variables;
}
