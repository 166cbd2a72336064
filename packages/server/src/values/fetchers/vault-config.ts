import type { Settings } from "../../config/schema.ts";

/** `webhook.embeddedSecretManagerConfig.vaultConfig`. */
export type VaultConfig = Settings["webhook"]["embeddedSecretManagerConfig"]["vaultConfig"];
