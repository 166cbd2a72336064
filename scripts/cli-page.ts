import { PassThrough } from "node:stream";
import { type CliContext, commandPages, createOutput } from "@flyte-secrets/cli";

const HEAD = `# The flyte-secrets command

This page has the \`--help\` of every command. Exit codes are 0 for success, 2 for a wrong command line or configuration,
and 1 for every other failure. An error is one line on standard error. No command prints a value, except
\`export --with-values\` to a file or pipe, and \`run\` and \`exec\` with \`--no-mask\` for what
the task or program itself prints.
`;

/** `docs/cli.md`: the help text of every command, as it prints it. */
export function renderCliPage(): string {
  const silent = new PassThrough();
  const host: CliContext = {
    env: {},
    stdin: silent,
    stdout: createOutput(silent),
    stderr: createOutput(silent),
    home: "/",
    cwd: "/",
    nodeVersion: process.versions.node,
    interruption: () => new AbortController().signal,
    relaySignals: () => () => {},
  };
  return (
    HEAD +
    commandPages(host)
      .map(({ name, help }) => `\n## ${name}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`)
      .join("")
  );
}
