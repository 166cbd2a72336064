import { PassThrough } from "node:stream";
import { type CliContext, commandPages, createOutput } from "@flyte-secrets/cli";

const HEAD = `# The flyte-secrets command

Each command's own \`--help\`. Exit codes: 0; 2 for a command line or configuration that is wrong; 1 for every other failure. Errors
are one line on standard error. No command prints a value, but for \`export --with-values\` into a file or pipe, and what a task
itself prints under \`run --no-mask\`.
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
  };
  return (
    HEAD +
    commandPages(host)
      .map(({ name, help }) => `\n## ${name}\n\n\`\`\`text\n${help.trimEnd()}\n\`\`\`\n`)
      .join("")
  );
}
