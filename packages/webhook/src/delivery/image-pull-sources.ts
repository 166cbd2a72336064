import type { Clock } from "@flyte-secrets/core";
import { imagePullSecretName, type MaybePromise, type SecretId } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeObject, type KubeResource, type KubeSecret, runInformer, SECRETS } from "@flyte-secrets/kube";
import type { Logger } from "pino";
import { IMAGE_PULL_TYPE, imagePullDigest, isImagePullSecret } from "./image-pull-secret.ts";

export interface ImagePullSourcesOptions {
  readonly client: Pick<KubeClient, "get" | "list" | "watch">;
  readonly namespace: string;
  /** Called when one was created, changed or deleted, and first after all are known. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The image-pull Secrets of the webhook's namespace, kept up to date by a watch. Only a digest of their content is
 * kept.
 */
export interface ImagePullSources {
  /**
   * Returns the name of the image-pull Secret of a secret; undefined if there is none. Reads from the API server while
   * the watch is stale.
   */
  find(id: SecretId, signal: AbortSignal): MaybePromise<string | undefined>;
  /** Whether the watch is up to date. */
  isFresh(): boolean;
  /** The digest of its content, as the watch last reported it. */
  digestOf(name: string): string | undefined;
  /** Reads it from the API server. */
  read(name: string, signal: AbortSignal): Promise<KubeSecret | undefined>;
  close(): Promise<void>;
}

/** What is kept of a Secret: its value is dropped when it is decoded. */
interface ImagePullSource extends KubeObject {
  /** Undefined for a Secret of somebody else. */
  readonly digest: string | undefined;
}

const SOURCES: KubeResource<ImagePullSource> = {
  ...SECRETS,
  decode(value) {
    const secret = SECRETS.decode(value);
    const { apiVersion, kind } = secret;
    const { name, resourceVersion = "" } = secret.metadata;
    const digest = isImagePullSecret(secret) ? imagePullDigest(secret) : undefined;
    return { apiVersion, kind, metadata: { name, resourceVersion }, digest };
  },
};

export function watchImagePullSources(options: ImagePullSourcesOptions): ImagePullSources {
  const { client, namespace, onChange, clock, log } = options;
  const digests = new Map<string, string>();
  const put = ({ metadata, digest }: ImagePullSource) => {
    if (digest !== undefined) digests.set(metadata.name, digest);
  };
  const informer = runInformer({
    client,
    resource: SOURCES,
    selector: { namespace, fieldSelector: `type=${IMAGE_PULL_TYPE}` },
    handler: {
      onReplace(secrets) {
        digests.clear();
        for (const secret of secrets) put(secret);
        onChange();
      },
      onUpsert(secret) {
        put(secret);
        onChange();
      },
      onDelete({ metadata }) {
        digests.delete(metadata.name);
        onChange();
      },
    },
    clock,
    log,
  });

  async function read(name: string, signal: AbortSignal): Promise<KubeSecret | undefined> {
    const secret = await client.get(SECRETS, { namespace, name }, { signal });
    return secret && isImagePullSecret(secret) ? secret : undefined;
  }

  return {
    find(id, signal) {
      const name = imagePullSecretName(id);
      if (informer.isFresh()) return digests.has(name) ? name : undefined;
      return read(name, signal).then((secret) => secret && name);
    },
    isFresh: informer.isFresh,
    digestOf: (name) => digests.get(name),
    read,
    close: () => informer.close(),
  };
}
