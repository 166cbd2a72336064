/** The examples under a command's help: command lines and, after `#`, what they do. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ flyte-secrets ${line}\n`).join("")}`;
}
