export { listEntries, listSettings, type Section, type Setting } from "./list-settings.ts";
export { type ConfigText, loadConfig } from "./load-config.ts";
export { podNamespace } from "./resolve/pod-namespace.ts";
export { createAddressCheck } from "./schema/address-ranges.ts";
export type { Config, Settings } from "./schema/config-schema.ts";
export { type FoundBytes, readFoundBytes } from "./sources/found-file.ts";
export { keyOffset } from "./sources/key-offset.ts";
