export { type CommandPage, checkCommandLine, commandPages } from "./command-line.ts";
export type { CliContext } from "./context.ts";
export { createOutput, type Output } from "./output.ts";
export { PROJECT_FILE_SCHEMA } from "./project-file/schema.ts";
