import type { Config } from "@flyte-secrets/config";
import type { Host } from "../host.ts";
import { type NamespaceLabelsOptions, namespaceLabelsIn } from "../options/namespace-labels.ts";

/**
 * The configured secret managers over what this machine reaches, with a note of where they look, and the admission that
 * they make.
 */
export async function openManagers(config: Config, { options, host }: { options: NamespaceLabelsOptions; host: Host }) {
  const { createManagers, globalSecrets } = await import("@flyte-secrets/webhook");
  const { createRecorder } = await import("./recorder.ts");
  const { createLazyLookup } = await import("../store/lazy-lookup.ts");
  const { localAdmission, ownNamespace } = await import("../mutate/local-admission.ts");
  const lookup = createLazyLookup(config, host);
  const global = globalSecrets(config, host.env);
  const recorder = createRecorder({ lookup, global, type: config.webhook.embeddedSecretManagerConfig.type });
  const namespaceLabels = namespaceLabelsIn(options);
  return {
    managers: createManagers(config, { ...recorder, ownNamespace: ownNamespace(config, host) }),
    takePlaces: recorder.take,
    admission: localAdmission(config, { lookup, global, namespaceLabels, host }),
    [Symbol.asyncDispose]: () => lookup[Symbol.asyncDispose](),
  };
}
