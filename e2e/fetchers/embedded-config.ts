import { tmpdir } from "node:os";
import { type Config, loadConfig } from "@flyte-secrets/config";

type EmbeddedConfig = Config["webhook"]["embeddedSecretManagerConfig"];

/** `webhook.embeddedSecretManagerConfig` with some of its settings given, as flags would. */
export function embeddedConfig(settings: Readonly<Record<string, string>>): EmbeddedConfig {
  const flags = Object.entries(settings).map(([key, value]) => [`webhook.embeddedSecretManagerConfig.${key}`, value]);
  const sources = { files: [], defaultFiles: [], env: {}, home: tmpdir(), cwd: tmpdir() };
  return loadConfig({ ...sources, flags: Object.fromEntries(flags) }).webhook.embeddedSecretManagerConfig;
}
