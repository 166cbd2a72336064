export { checkCommandLine } from "./check-command-line.ts";
export { type CommandPage, commandPages } from "./command-pages.ts";
export type { Host } from "./host.ts";
export { createOutput, type Output } from "./output.ts";
