import type { Config } from "@flyte-secrets/config";
import type { Host } from "../host.ts";

/**
 * The managers whose secrets a process of this machine can be given. The others have a pod read them, with what is in a
 * cluster.
 */
const HERE: readonly string[] = ["Global", "Embedded"];

/** A configuration by which those are asked alone. */
export function withEmbeddedAlone(config: Config): Config {
  return { ...config, webhook: { ...config.webhook, secretManagerTypes: ["Embedded"] } };
}

/** Tells of others that the webhook is configured to ask, maybe first. */
export function noteOtherManagers({ webhook: { secretManagerType, secretManagerTypes } }: Config, host: Host): void {
  const configured = secretManagerTypes.length > 0 ? secretManagerTypes : [secretManagerType];
  const others = configured.filter((name) => !HERE.includes(name));
  if (others.length === 0) return;
  host.stderr.write(
    `note: ${others.join(", ")} of webhook.secretManagerTypes can't be asked without a cluster: run asks Global and Embedded\n`,
  );
}
