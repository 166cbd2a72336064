export { type CommandPage, checkCommandLine, commandPages } from "./command-line.ts";
export type { Host } from "./context.ts";
export { createOutput, type Output } from "./output.ts";
