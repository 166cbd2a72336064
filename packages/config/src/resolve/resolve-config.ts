import type { Config, Settings } from "../schema/config-schema.ts";
import type { ResolveContext } from "./resolve-context.ts";
import { resolveSecret } from "./resolve-secret.ts";
import { resolveWebhook } from "./resolve-webhook.ts";

/**
 * Resolves what the schema leaves open: the kind of store, defaults that depend on it, the short forms of Flyte's
 * guides, paths (absolute, `~` replaced) and the master key (C-11, C-12).
 * @throws SecretsError `invalid_config` for settings that contradict each other.
 */
export function resolveConfig(settings: Settings, context: ResolveContext): Config {
  return {
    ...settings,
    secret: resolveSecret(settings, context),
    webhook: resolveWebhook(settings, context),
  };
}
