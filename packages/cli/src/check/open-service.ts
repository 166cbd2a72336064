import type { Config } from "@flyte-secrets/config";
import { type SecretId, type SecretLookup, SecretsError } from "@flyte-secrets/core";
import type { CliContext } from "../context.ts";

/** A service that says where secrets are. */
export interface OpenedService extends AsyncDisposable {
  readonly lookup: SecretLookup & AsyncDisposable;
  /** Of all secrets that it lists in a few seconds. */
  listIds(): Promise<readonly SecretId[]>;
}

export interface OpenServiceOptions {
  readonly options: { readonly endpoint?: string; readonly insecure?: boolean };
  readonly cli: CliContext;
}

/**
 * Opens the service of `--endpoint`; undefined without one. Throws `usage` where the webhook of this configuration does
 * not read what the service keeps.
 */
export async function openService(
  config: Config,
  { options: { endpoint, insecure }, cli }: OpenServiceOptions,
): Promise<OpenedService | undefined> {
  if (endpoint === undefined) return undefined;
  const { embeddedSecretManagerConfig, limits } = config.webhook;
  const { type } = embeddedSecretManagerConfig;
  if (type !== "Store" && type !== "K8s") {
    throw new SecretsError(
      "usage",
      `--endpoint: by this configuration the webhook reads from ${type}, not from a service`,
    );
  }
  const { findTarget } = await import("../remote/target.ts");
  const { openClient } = await import("../remote/open-client.ts");
  const { surveySecrets } = await import("../secrets/list-secrets.ts");
  const { createServiceLookup } = await import("./service-lookup.ts");
  const client = await openClient(await findTarget({ endpoint, ...(insecure && { insecure }) }, cli), { cli });
  const close = () => client[Symbol.asyncDispose]();
  const { organization: org } = config.secret;
  return {
    lookup: { ...createServiceLookup(client, limits.idLength), [Symbol.asyncDispose]: async () => {} },
    listIds: async () =>
      (await surveySecrets(client)).map(({ name, domain, project }) => ({
        org,
        name,
        domain: domain ?? "",
        project: project ?? "",
      })),
    [Symbol.asyncDispose]: close,
  };
}
