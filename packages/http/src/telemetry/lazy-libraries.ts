import { createRequire } from "node:module";

// Commands that serve nothing load this package too, and these two would cost them 20 MB and some 100 ms. Both are
// CommonJS, which can be loaded in a synchronous call.
const require = createRequire(import.meta.url);

/** The metrics library, loaded with the first metric or registry. */
export function loadPrometheus(): typeof import("prom-client") {
  return require("prom-client");
}

/** The logging library, loaded with the first logger. */
export function loadPino(): typeof import("pino") {
  return require("pino");
}
