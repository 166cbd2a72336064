import { isSecretsError, type MaybePromise, SecretsError } from "@flyte-secrets/core";
import type { ImagePullSecrets, SecretWriter } from "@flyte-secrets/inject";
import type { KubeClient } from "@flyte-secrets/kube";
import { isAllowed, whoAmI } from "@flyte-secrets/kube";
import { writerGrantCommand } from "./writer-grant.ts";

export interface ExplainRefusalsOptions {
  readonly client: Pick<KubeClient, "create">;
  readonly writer: SecretWriter;
  readonly imagePull?: ImagePullSecrets | undefined;
}

/**
 * Wraps `writer` and `imagePull`. If a namespace is not listed, or the right to write there is missing, it throws
 * `namespace_not_writable` with the command that grants the right: a retry would not help, so the task ends. Other
 * refusals, such as of our credentials, are thrown unchanged.
 */
export function explainRefusals({ client, writer, imagePull }: ExplainRefusalsOptions) {
  async function explain(namespace: string, error: unknown): Promise<never> {
    if (isSecretsError(error, "namespace_not_writable")) throw await withGrant(namespace, error, "Add it to that list");
    if (!isSecretsError(error, "credentials_refused") || (await mayWrite(namespace))) throw error;
    throw await withGrant(namespace, error, "List it in webhook.writtenSecrets.namespaces if it isn't");
  }

  async function mayWrite(namespace: string): Promise<boolean> {
    try {
      return await isAllowed(client, { verb: "create", resource: "secrets", namespace });
    } catch {
      // If the API server rejects this question too, our credentials are the problem, not the right.
      return true;
    }
  }

  async function withGrant(namespace: string, cause: SecretsError, remedy: string): Promise<SecretsError> {
    const account = await whoAmI(client).catch(() => "ACCOUNT");
    return new SecretsError(
      "namespace_not_writable",
      `${cause.message} ${remedy}, and give the webhook the right, as the chart does for listed namespaces: ` +
        `${writerGrantCommand({ namespace, account })}`,
      { cause },
    );
  }

  function explaining(namespace: string, start: () => MaybePromise<void>): MaybePromise<void> {
    try {
      const writing = start();
      return writing instanceof Promise ? writing.catch((error) => explain(namespace, error)) : writing;
    } catch (error) {
      return explain(namespace, error);
    }
  }

  return {
    writer: {
      write: (namespace, secrets, options) => explaining(namespace, () => writer.write(namespace, secrets, options)),
    } satisfies SecretWriter,
    imagePull: imagePull && {
      ...imagePull,
      copy: (namespace: string, name: string, call: Parameters<ImagePullSecrets["copy"]>[2]) =>
        explaining(namespace, () => imagePull.copy(namespace, name, call)),
    },
  };
}
