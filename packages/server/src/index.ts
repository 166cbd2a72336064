export { listSettings, type Setting } from "./config/list-settings.ts";
export { type ConfigSources, loadConfig } from "./config/load-config.ts";
export type { Config, Settings } from "./config/schema.ts";
