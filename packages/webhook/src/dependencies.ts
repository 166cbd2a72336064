import type { CertificateSource } from "@flyte-secrets/certificates";
import { type Clock, SecretsError } from "@flyte-secrets/core";
import { createKubeMetrics, openTracing } from "@flyte-secrets/http";
import type { ImagePullSecrets, SecretWriter } from "@flyte-secrets/inject";
import { connectCluster, type KubeClient, openSharedToken } from "@flyte-secrets/kube";
import { type CachedLookup, openLookup } from "@flyte-secrets/lookup";
import { createFormerNamespaceCheck, openEmbeddedStore } from "@flyte-secrets/store";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type AdmissionTracing, createAdmissionTracing } from "./admission/admission-tracing.ts";
import { createLostBindingCheck } from "./binding/lost-binding.ts";
import { type NamespaceLabels, type WatchedNamespaceLabels, watchNamespaceLabels } from "./binding/namespace-labels.ts";
import { openCertificates } from "./certificates/open-certificates.ts";
import { openSecretWriter } from "./delivery/open-secret-writer.ts";
import type { ReadinessCheck } from "./endpoints/observability.ts";
import { reconcileRegistration } from "./registration/registration.ts";
import { createLookupMetrics } from "./webhook-metrics.ts";
import { sharedNamespace, type WebhookOptions, writesSecrets } from "./webhook-options.ts";

/** The parts that a running webhook uses. */
export interface WebhookDependencies extends AsyncDisposable {
  readonly certificates: CertificateSource;
  readonly lookup: CachedLookup;
  /** Writes the Secrets of delivery SecretRef, whose names depend on the naming key. */
  readonly writer?: SecretWriter;
  readonly namingKey?: Uint8Array;
  /** Copies image-pull Secrets for pods. */
  readonly imagePull?: ImagePullSecrets;
  readonly namespaceLabels?: NamespaceLabels;
  readonly tracing?: AdmissionTracing;
  /** The token that callers of the invalidation endpoint must send. */
  readonly invalidationToken?: string;
  /** The conditions of readiness. */
  readonly readiness: readonly ReadinessCheck[];
}

/** What dependencies are opened with. */
export interface DependencyContext {
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home directory, for kubeconfig files. */
  readonly home: string;
  readonly clock: Clock;
  readonly registry: Registry;
  /** Used instead of the certificate of the options. Not closed by the webhook. */
  readonly certificates?: CertificateSource | undefined;
  /** Used instead of a writer in the cluster. */
  readonly writer?: SecretWriter | undefined;
}

/**
 * Opens everything that the webhook depends on: the cluster's client, the certificate and its registration, the labels
 * of namespaces, the writer of Secrets, tracing and the lookup. When it throws, nothing is left open.
 * @throws SecretsError `invalid_config`, naming the setting; and what opening the store throws.
 */
export async function openDependencies(
  options: WebhookOptions,
  context: DependencyContext,
): Promise<WebhookDependencies> {
  const { namespace, admission, values } = options;
  const { log, env, home, clock, registry } = context;
  await using opened = new AsyncDisposableStack();
  const client = connectCluster(options.cluster, { env, home, clock, observe: createKubeMetrics(registry) });
  if (client) opened.defer(() => client.close());

  const certificates =
    context.certificates ??
    opened.adopt(await openCertificates(options.certificate, { client, namespace, clock, log }), (source) =>
      source.close(),
    );
  const registration =
    client &&
    options.registration &&
    reconcileRegistration({ client, settings: options.registration, certificates, clock, log });
  if (registration) opened.defer(() => registration.close());

  const namespaceLabels = openNamespaceLabels(options, client, context);
  if (namespaceLabels) opened.defer(() => namespaceLabels.close());
  warnOfSharedNamespace(options, client, log);
  const written = await openWriter(options, client, { ...context, namespaceLabels });
  if (written) opened.defer(() => written.close());
  const writer = context.writer ?? written?.writer;

  const spans = await openTracing({ config: options.tracing, serviceName: "executor", log });
  opened.defer(() => spans?.close());
  const tracing = spans && createAdmissionTracing(spans, values.provider);
  const lookupMetrics = createLookupMetrics(registry);
  const lookup = await openLookup(values.lookup, {
    openStore: async () => opened.adopt(await openEmbeddedStore({ ...values.store, log }), (store) => store.close()),
    openKube: async () => client ?? noCluster(),
    clock,
    log,
    metrics: tracing?.listen(lookupMetrics) ?? lookupMetrics,
  });
  opened.defer(() => lookup.close());
  const invalidationToken = await openSharedToken({
    file: options.endpoints.cacheInvalidationTokenFile,
    secretName: options.endpoints.cacheInvalidationTokenSecret,
    home: client && { client, namespace },
    settings: { file: "webhook.cacheInvalidationTokenFile", secretName: "webhook.cacheInvalidationTokenSecret" },
  });

  const readiness: ReadinessCheck[] = [lookup.ready];
  if (registration) readiness.push(() => assertRegistered(registration.missing()));
  if (namespaceLabels) readiness.push(namespaceLabels.ready);
  if (client && values.namespace !== undefined) {
    const { namespace, formerNamespace: former } = values;
    const check = createFormerNamespaceCheck({ client, namespace, former, log });
    readiness.push(() => check());
  }
  const running = opened.move();
  return {
    certificates,
    lookup,
    readiness,
    ...(writer && { writer }),
    ...(written && { namingKey: written.namingKey }),
    ...(written?.imagePull && { imagePull: written.imagePull }),
    ...(admission.scopeBinding.namespaceLabels && namespaceLabels && { namespaceLabels }),
    ...(tracing && { tracing }),
    ...(invalidationToken !== undefined && { invalidationToken }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Opens the labels of namespaces, if they decide about claims. */
function openNamespaceLabels(
  { admission }: WebhookOptions,
  client: KubeClient | undefined,
  { clock, log }: Pick<DependencyContext, "clock" | "log">,
): WatchedNamespaceLabels | undefined {
  const { mode, namespaceLabels } = admission.scopeBinding;
  if (!namespaceLabels || mode === "off") return undefined;
  if (client) return watchNamespaceLabels({ client, clock, log });
  throw new SecretsError(
    "invalid_config",
    "webhook.scopeBinding.namespaceLabels reads the labels of namespaces in a cluster, and there is none here: " +
      "set it to false, or secret.kubernetes.kubeconfig",
  );
}

function warnOfSharedNamespace(options: WebhookOptions, client: KubeClient | undefined, log: Logger): void {
  const namespace = client && sharedNamespace(options);
  if (namespace === undefined) return;
  log.warn(
    { namespace },
    "pods and values share a namespace: there labels alone decide who gets which secret, and pods that name " +
      "Secrets by themselves are held back by the chart's guard alone",
  );
}

/** Opens the writer of Secrets; undefined if nothing is to be written, or without a cluster. */
async function openWriter(
  options: WebhookOptions,
  client: KubeClient | undefined,
  { namespaceLabels, ...context }: DependencyContext & { readonly namespaceLabels: NamespaceLabels | undefined },
) {
  const { namespace, admission, writer } = options;
  if (writer.imagePullNamespace !== undefined && client === undefined) {
    throw new SecretsError(
      "invalid_config",
      "webhook.embeddedSecretManagerConfig.imagePullSecrets.enabled copies Secrets in a cluster, and there is none " +
        "here: set it to false, or secret.kubernetes.kubeconfig",
    );
  }
  if (client === undefined || !writesSecrets(options)) return undefined;
  const hasLostBinding = createLostBindingCheck(admission.scopeBinding, namespaceLabels);
  return await openSecretWriter(writer, { client, namespace, hasLostBinding, ...context });
}

function assertRegistered(missing: string | undefined): void {
  if (missing !== undefined) throw new SecretsError("store_unavailable", missing);
}

function noCluster(): never {
  throw new SecretsError(
    "invalid_config",
    "webhook.embeddedSecretManagerConfig.type K8s needs a cluster; run in one, set secret.kubernetes.kubeconfig, " +
      "or write another type",
  );
}
