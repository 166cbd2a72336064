import type { Clock } from "@flyte-secrets/core";
import { imagePullSecretName, type MaybePromise, type SecretId } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { runInformer, SECRETS, type Secret } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { IMAGE_PULL_TYPE, imagePullDigest, isImagePullSecret } from "./image-pull-secret.ts";

/** The API server says at least every 75 s that nothing changed, so a watch that is silent for longer may be dead. */
const SILENT_MS = 100_000;

export interface ImagePullSourcesOptions {
  readonly client: Pick<KubeClient, "get" | "list" | "watch">;
  readonly namespace: string;
  /** Called when one has appeared, changed or gone, first when all are known. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The image-pull Secrets of the webhook's namespace, followed by a watch; of their content only a digest is kept. */
export interface ImagePullSources {
  /** The name of the one that goes with a secret; undefined where there is none. Asks the API server while the watch is not to be trusted. */
  find(id: SecretId, signal: AbortSignal): MaybePromise<string | undefined>;
  /** Whether what the watch told is to be trusted. */
  isTrusted(): boolean;
  /** What the watch last told. */
  digestOf(name: string): string | undefined;
  /** As it is now, from the API server. */
  read(name: string, signal: AbortSignal): Promise<Secret | undefined>;
  close(): Promise<void>;
}

export function followImagePullSources(options: ImagePullSourcesOptions): ImagePullSources {
  const { client, namespace, onChange, clock, log } = options;
  const digests = new Map<string, string>();
  const put = (secret: Secret) => {
    if (isImagePullSecret(secret)) digests.set(secret.metadata.name, imagePullDigest(secret));
  };
  const follower = runInformer({
    client,
    resource: SECRETS,
    selection: { namespace, fieldSelector: `type=${IMAGE_PULL_TYPE}` },
    sink: {
      replace(secrets) {
        digests.clear();
        for (const secret of secrets) put(secret);
        onChange();
      },
      put(secret) {
        put(secret);
        onChange();
      },
      remove({ metadata }) {
        digests.delete(metadata.name);
        onChange();
      },
    },
    clock,
    log,
  });
  const isTrusted = () => follower.problem() === undefined && follower.silentMs() < SILENT_MS;

  async function read(name: string, signal: AbortSignal): Promise<Secret | undefined> {
    const secret = await client.get(SECRETS, { namespace, name }, { signal });
    return secret && isImagePullSecret(secret) ? secret : undefined;
  }

  return {
    find(id, signal) {
      const name = imagePullSecretName(id);
      if (isTrusted()) return digests.has(name) ? name : undefined;
      return read(name, signal).then((secret) => secret && name);
    },
    isTrusted,
    digestOf: (name) => digests.get(name),
    read,
    close: () => follower.close(),
  };
}
