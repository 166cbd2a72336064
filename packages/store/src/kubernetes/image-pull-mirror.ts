import type { Clock } from "@flyte-secrets/core";
import { imagePullLabels, imagePullSecretName, type SecretId, SecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, SECRETS, syncCopy } from "@flyte-secrets/kube";
import { assertOwn, OWNED_SECRETS, type OwnedSecret, withoutOwner } from "./foreign-owner.ts";
import { managedValue, typeOf } from "./managed-secret.ts";

const TYPE = "kubernetes.io/dockerconfigjson";
const DATA_KEY = ".dockerconfigjson";

export interface ImagePullMirrorOptions {
  readonly client: Pick<KubeClient, "get" | "create" | "replace" | "delete">;
  /** Where the injector looks for them. */
  readonly namespace: string;
  readonly clock: Clock;
  /** The managed Secret of an id as it is now. */
  readonly readSource: (id: SecretId, signal: AbortSignal) => Promise<KubeSecret | undefined>;
}

/** The second Secret of each image-pull secret: the one that Kubernetes can pull images with. */
export interface ImagePullMirror {
  /**
   * Makes it like the managed Secret of the id as that is now, or deletes it where that is gone. However many do so at
   * once, it is like the managed Secret when the last one is done. Throws `call_refused` where something else keeps it
   * and its content differs, unless `force`; what something else keeps is not deleted.
   */
  follow(id: SecretId, signal: AbortSignal, force?: boolean): Promise<void>;
  /** Throws `call_refused` where something else keeps it, unless `force`. */
  remove(id: SecretId, signal: AbortSignal, force?: boolean): Promise<void>;
}

interface MirrorWrite {
  readonly mirror: OwnedSecret | undefined;
  readonly wanted: KubeSecret;
  readonly force: boolean;
}

export function createImagePullMirror(options: ImagePullMirrorOptions): ImagePullMirror {
  const { client, namespace, clock } = options;

  const readSource = async (id: SecretId, signal: AbortSignal) => {
    const source = await options.readSource(id, signal);
    return source && typeOf(source) === "image_pull" ? source : undefined;
  };

  async function write(id: SecretId, { mirror, wanted, force }: MirrorWrite, signal: AbortSignal): Promise<void> {
    if (mirror === undefined) {
      await client.create(SECRETS, wanted, { signal });
    } else if (mirror.type !== TYPE) {
      throw new SecretsError(
        "call_refused",
        `Secret ${mirror.metadata.name} in namespace ${namespace} is in the way: it is none of type ${TYPE}. ` +
          "Delete it.",
      );
    } else if (mirror.data?.[DATA_KEY] !== wanted.data?.[DATA_KEY]) {
      assertOwn(mirror, id, force);
      const { metadata, ...rest } = withoutOwner(mirror);
      const labels = { ...metadata.labels, ...wanted.metadata.labels };
      await client.replace(
        SECRETS,
        { ...rest, metadata: { ...metadata, labels }, data: wanted.data ?? {} },
        { signal },
      );
    }
  }

  async function removeExactly({ metadata }: KubeSecret, signal: AbortSignal): Promise<void> {
    const { name, resourceVersion } = metadata;
    await client.delete(SECRETS, { namespace, name, preconditions: { resourceVersion } }, { signal });
  }

  return {
    follow(id, signal, force = false) {
      const name = imagePullSecretName(id);
      return syncCopy(
        {
          label: `Secret ${name}`,
          readCopy: () => client.get(OWNED_SECRETS, { namespace, name }, { signal }),
          readSource: () => readSource(id, signal),
          async write(mirror, source) {
            if (source !== undefined) {
              await write(id, { mirror, wanted: toImagePullSecret(id, source, namespace), force }, signal);
            } else if (mirror?.type === TYPE && (mirror.owner === undefined || force)) {
              await removeExactly(mirror, signal);
            }
            // Whoever deletes the source deletes the mirror too, but perhaps before it was made here.
            const after = await readSource(id, signal);
            return after?.metadata.resourceVersion === source?.metadata.resourceVersion ? "synced" : "changed";
          },
        },
        { clock, signal },
      );
    },
    async remove(id, signal, force = false) {
      const mirror = await client.get(OWNED_SECRETS, { namespace, name: imagePullSecretName(id) }, { signal });
      if (mirror === undefined) return;
      assertOwn(mirror, id, force);
      await removeExactly(mirror, signal);
    },
  };
}

function toImagePullSecret(id: SecretId, source: KubeSecret, namespace: string): KubeSecret {
  const value = managedValue(source, id);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: imagePullSecretName(id), namespace, labels: imagePullLabels(id) },
    type: TYPE,
    data: { [DATA_KEY]: value?.revealBase64() ?? "" },
  };
}
