import { type Readable, Transform } from "node:stream";
import { finished } from "node:stream/promises";
import { importOptional, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";
import type { ScopeOptions, TargetOptions } from "../options/secret-options.ts";
import type { CarryOut } from "./tool-command.ts";

/** What the command line of `mcp` gives. */
export interface McpOptions extends TargetOptions, ScopeOptions {}

export interface McpParts {
  readonly cli: CliContext;
  readonly carryOut: CarryOut;
}

/** Serves the tools on standard input and output until the client closes the input. */
export async function serveMcp(options: McpOptions, { cli, carryOut }: McpParts): Promise<void> {
  const [{ createMcpServer }, { StdioServerTransport }] = await importOptional(
    () => Promise.all([import("./mcp-server.ts"), import("@modelcontextprotocol/sdk/server/stdio.js")]),
    { neededBy: "mcp", packages: ["@modelcontextprotocol/sdk@1"] },
  );
  if (cli.stdin.isTTY) cli.stderr.write("note: an agent starts this command; Ctrl-C ends it\n");
  const { server, close } = createMcpServer(options, { cli, carryOut });
  const input = limitLines(cli.stdin);
  await server.connect(new StdioServerTransport(input, cli.stdout.raw));
  try {
    await finished(input);
  } finally {
    await close();
    await server.close();
  }
}

const MAX_MESSAGE_BYTES = 1024 * 1024;

/** `input`, which ends with an error where a line, which is a message, is over 1 MiB. */
function limitLines(input: Readable): Readable {
  let length = 0;
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const lastEnd = chunk.lastIndexOf("\n");
      length = lastEnd < 0 ? length + chunk.length : chunk.length - lastEnd - 1;
      if (length <= MAX_MESSAGE_BYTES) done(null, chunk);
      else done(new SecretsError("invalid_argument", "the client has sent a message of more than 1 MiB"));
    },
  });
  return input.pipe(limited);
}
