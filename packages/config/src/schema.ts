import type { SecretValue } from "@flyte-secrets/core";
import { z } from "zod";
import { secretSection } from "./secret-section.ts";
import {
  actionsSection,
  cacheSection,
  executorSection,
  loggerSection,
  otelSection,
  secretsSection,
} from "./shared-sections.ts";
import { webhookSection } from "./webhook-section.ts";

/** Every setting there is: parser, types, documentation and `--help` come from here. */
export const configSchema = z.object({
  secret: secretSection,
  webhook: webhookSection,
  secrets: secretsSection,
  cache: cacheSection,
  logger: loggerSection,
  executor: executorSection,
  actions: actionsSection,
  otel: otelSection,
});

/** Other names of sections, in lower case. */
export const SECTION_ALIASES: ReadonlyMap<string, keyof Settings> = new Map([
  ["flyte-pod-webhook", "webhook"],
  ["secretswebhook", "webhook"],
]);

const listed = (manager: string) => `list ${manager} in webhook.secretManagerTypes instead`;

/** Keys that stand in Flyte's configurations or guides and mean nothing here, with what to write instead. */
export const REFUSED_KEYS: ReadonlyMap<string, string> = new Map([
  ["webhook.k8sSecretManager.enabled", listed("K8s")],
  ["webhook.gcpSecretManager.enabled", listed("GCP")],
  ["webhook.azureSecretManager.enabled", listed("Azure")],
  ["webhook.vaultSecretManager.enabled", listed("Vault")],
  ["webhook.embeddedSecretManagerConfig.enabled", listed("Embedded")],
  ["cache.redis", "values must not leave the process: leave it out, with cache.type InMemoryFixedSize"],
]);

/** The settings as the schema reads them: YAML's keys and nesting, durations in milliseconds, sizes in bytes. */
export type Settings = z.output<typeof configSchema>;

type SecretSettings = Settings["secret"];

/** The configuration that the rest of the program sees: {@link Settings} with what depends on the machine decided. */
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
