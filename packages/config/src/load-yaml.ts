import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The YAML library, loaded with the first file or structure: its hundred modules are a tenth of a start without any.
 * It is CommonJS, which can be loaded in a synchronous call.
 */
export function loadYaml(): typeof import("yaml") {
  return require("yaml");
}
