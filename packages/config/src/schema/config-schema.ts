import type { SecretValue } from "@flyte-secrets/core";
import { secretSection } from "./secret.ts";
import { section, type ValuesOf } from "./setting.ts";
import { actionsSection, cacheSection, executorSection, loggerSection, otelSection, secretsSection } from "./shared.ts";
import { webhookSection } from "./webhook.ts";

/** All settings. Parser, types, documentation and `--help` are derived from this schema. */
export const configSchema = section("All settings.", {
  secret: secretSection,
  webhook: webhookSection,
  secrets: secretsSection,
  cache: cacheSection,
  logger: loggerSection,
  executor: executorSection,
  actions: actionsSection,
  otel: otelSection,
});

/** Aliases of sections, in lower case. */
export const SECTION_ALIASES: ReadonlyMap<string, keyof Settings> = new Map([
  ["flyte-pod-webhook", "webhook"],
  ["secretswebhook", "webhook"],
]);

const listed = (manager: string) => `list ${manager} in webhook.secretManagerTypes instead`;

/** Keys of Flyte's configurations or guides that are not supported, with what to write instead. */
export const REFUSED_KEYS: ReadonlyMap<string, string> = new Map([
  ["webhook.k8sSecretManager.enabled", listed("K8s")],
  ["webhook.gcpSecretManager.enabled", listed("GCP")],
  ["webhook.azureSecretManager.enabled", listed("Azure")],
  ["webhook.vaultSecretManager.enabled", listed("Vault")],
  ["webhook.embeddedSecretManagerConfig.enabled", listed("Embedded")],
  ["cache.redis", "values must not leave the process: leave it out, with cache.type InMemoryFixedSize"],
]);

/** The settings as the schema parses them: keys and nesting as in YAML, durations in milliseconds, sizes in bytes. */
export type Settings = ValuesOf<(typeof configSchema)["shape"]>;

type SecretSettings = Settings["secret"];

/** The resolved configuration: {@link Settings} with everything decided that depends on the machine. */
export interface Config extends Omit<Settings, "secret"> {
  readonly secret: Omit<SecretSettings, "store"> & {
    readonly store: {
      readonly type: "Embedded" | "Kubernetes";
      /** Absolute. */
      readonly path: string;
      /** 32 bytes, from FLYTE_SECRETS_MASTER_KEY. Absent: the store keeps its key in a file. */
      readonly masterKey?: SecretValue;
    };
  };
}
