/** The examples under a command's help: what follows the command's name, or begins with another program's (`kubectl`). */
export function examples(...lines: readonly string[]): string {
  const toLine = (line: string) => `  $ ${line.startsWith("kubectl ") ? "" : "flyte-secrets "}${line}\n`;
  return `\nExamples:\n${lines.map(toLine).join("")}`;
}
