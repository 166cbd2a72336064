import { quote } from "@flyte-secrets/core";

/**
 * What a name may have that goes into a script: whatever a cloud's secret is called, and nothing that a shell or the kubelet,
 * which expands `$(NAME)` in commands, sees as more than a letter; no leading `-`, which would make it an option.
 */
const PLAIN = /^[A-Za-z0-9_][-A-Za-z0-9_.:/~]*$/;

/** Why a name from a request must not go into a script; undefined when it may. */
export function shellFault(field: string, text: string): string | undefined {
  if (PLAIN.test(text)) return undefined;
  return `${field} goes into a script and may only have letters, digits and "-_.:/~", and not begin with "-", got ${quote(text)}`;
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
