export { createAddressCheck } from "./address-ranges.ts";
export { listEntries, listSettings, type Section, type Setting } from "./list-settings.ts";
export { type ConfigSources, type ConfigText, loadConfig } from "./load-config.ts";
export { podNamespace } from "./pod-namespace.ts";
export type { Config, Settings } from "./schema.ts";
