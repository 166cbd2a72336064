export { decodeExecCredential, EXEC_VERSIONS } from "../exec-plugin.ts";
export { readKubeconfig } from "../kubeconfig.ts";
export type { WatchEvent } from "../watch-events.ts";
export { createMemoryApi, type MemoryApi } from "./memory-api.ts";
export { type Answer, startScriptedApiServer, status } from "./scripted-api-server.ts";
export { serveMemoryApi } from "./serve-memory-api.ts";
