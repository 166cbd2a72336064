import type { MaybePromise, SecretId } from "@flyte-secrets/core";

/** The Secrets to pull images with that go with secrets: one in the webhook's namespace, copied to those of pods. */
export interface ImagePullSecrets {
  /** The name of the one that goes with a secret; undefined where there is none. Without a promise where that is known. */
  find(id: SecretId, options: { readonly signal?: AbortSignal | undefined }): MaybePromise<string | undefined>;
  /**
   * Makes sure that `namespace` has it, as it is now. Called when nothing else can refuse the pod any more, and never on a dry
   * run. Throws if it can't be written: the pod is then rejected. Without a promise when it is there already.
   */
  copy(namespace: string, name: string, options: { readonly signal?: AbortSignal | undefined }): MaybePromise<void>;
}
