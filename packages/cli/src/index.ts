export { type CommandPage, checkCommandLine, commandPages } from "./command-line.ts";
export type { CliContext } from "./context.ts";
export { createOutput, type Output } from "./output.ts";
