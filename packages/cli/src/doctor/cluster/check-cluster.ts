import type { Config } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import { createLogger } from "@flyte-secrets/http";
import { httpStatusOf, type KubeClient, type KubeObject, type NeededRights, SECRETS } from "@flyte-secrets/kube";
import { findCertificate, sharedNamespace, WEBHOOK_CONFIGURATIONS, webhookRights } from "@flyte-secrets/webhook";
import { serviceRights } from "../../configured/service-rights.ts";
import { toCertificateOptions, toWebhookOptions } from "../../configured/webhook-options.ts";
import { checkClusterPods } from "../check-pods.ts";
import { type Component, checkClock, type Finding, note, problem } from "../finding.ts";
import { checkAdmissionPort, checkExposure, checkGuard } from "./check-exposure.ts";
import { checkManagedSecrets, checkNamespace, usedNamespaces } from "./check-namespaces.ts";
import {
  checkAdmissionCall,
  checkRegisteredCertificate,
  checkServedCertificate,
  notRegistered,
  readRegistered,
} from "./check-registration.ts";
import { checkRights } from "./check-rights.ts";

export interface CheckClusterOptions {
  readonly client: KubeClient;
  readonly config: Config;
  readonly components: readonly Component[];
  /** The webhook's. */
  readonly namespace: string;
  /** See {@link checkRights}. */
  readonly account: string | undefined;
}

/**
 * Whether what runs in a cluster has all that it needs there, and pods their secrets. Changes nothing. A run that was
 * let runCheck at nothing finds a problem.
 */
export async function checkCluster(options: CheckClusterOptions): Promise<Finding[]> {
  const { client, config, components, namespace, account } = options;
  const clock = await runCheck("the API server", async () => {
    const { headers } = await client.request("GET", "/version");
    return [checkClock("the API server", headers.date)];
  });
  // Nothing else could be looked at.
  if (clock.findings.some(({ state }) => state === "problem")) return clock.findings;
  const namespaces = [...usedNamespaces(components, config, namespace)].map(([used, setting]) =>
    runCheck(`namespace ${used}`, () => checkNamespace(client, used, setting)),
  );
  const certificates = { client, namespace, log: createLogger(config.logger) };
  const keepsCertificate = !(await ifKnown(
    async () => (await findCertificate(toCertificateOptions(config), certificates)).isForeign,
  ));
  const rights = components.flatMap((component) =>
    component === "service"
      ? serviceRights(config, namespace)
      : webhookRights(toWebhookOptions(config, namespace), { keepsCertificate }),
  );
  const isSettled = await Promise.all(rights.map((right) => ifKnown(() => isUnneeded(client, right))));
  const needed = rights.filter((_, index) => !isSettled[index]);
  const looks = await Promise.all([
    ...namespaces,
    runCheck("rights", () => checkRights({ client, needed, account })),
    ...[...storeNamespaces(components, config)].map((each) =>
      runCheck(`the Secrets of namespace ${each}`, () => checkManagedSecrets(client, each)),
    ),
    ...(components.includes("webhook") ? checkWebhook(options) : []),
  ]);
  const nothing = problem(
    "nothing in the cluster was looked at, for lack of rights",
    "use the credentials of somebody who may look, such as those of the account that this runs under",
  );
  return [
    ...clock.findings,
    ...looks.flatMap(({ findings }) => findings),
    ...(looks.some(({ hasLooked }) => hasLooked) ? [] : [nothing]),
    ...checkExposure(components, config),
  ];
}

/** Where Secrets in Flyte's form are read or written. */
function storeNamespaces(components: readonly Component[], { secret, webhook }: Config): Set<string> {
  const namespaces = new Set<string>();
  const { type, k8sConfig } = webhook.embeddedSecretManagerConfig;
  const readsStore = components.includes("service") || type === "Store";
  if (readsStore && secret.store.type === "Kubernetes") namespaces.add(secret.kubernetes.namespace);
  if (components.includes("webhook") && type === "K8s") namespaces.add(k8sConfig.namespace);
  return namespaces;
}

/** Whether what a right is for is there already, or was filled. */
async function isUnneeded(client: KubeClient, right: NeededRights): Promise<boolean> {
  const { makes, fills, resource, namespace } = right;
  const name = makes ?? right.name;
  if (name === undefined || !(makes || fills)) return false;
  const kind = resource === "secrets" ? SECRETS : WEBHOOK_CONFIGURATIONS;
  const found = await client.get<KubeObject & { readonly data?: object }>(kind, { namespace, name });
  return makes ? found !== undefined : found === undefined || found.data !== undefined;
}

/** False also where we may not look. */
async function ifKnown(ask: () => Promise<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    if (isSecretsError(error)) return false;
    throw error;
  }
}

function checkWebhook({ client, config, namespace }: CheckClusterOptions): Promise<CheckResult>[] {
  const log = createLogger(config.logger);
  return [
    runCheck("the certificate", () => checkRegisteredCertificate(config, { client, namespace, log })),
    runCheck("the registration", async () => {
      const registered = await readRegistered(client, config);
      if (registered === undefined) return [notRegistered(config)];
      const asked = runCheck("pods on their way", async () => [
        await checkAdmissionCall(client, { namespace, registered }),
      ]);
      return [await checkServedCertificate(registered), ...(await asked).findings];
    }),
    runCheck("pods", () => checkClusterPods(client)),
    runCheck("the guard", () => checkGuard(client, sharedNamespace(toWebhookOptions(config, namespace)))),
    runCheck("the network", () => checkAdmissionPort(client, config, namespace)),
  ];
}

export interface CheckResult {
  readonly findings: Finding[];
  /** False where a right for it is missing. */
  readonly hasLooked: boolean;
}

/**
 * What a runCheck at one thing finds. That it can't be looked at is a finding too: no problem where only a right for it
 * is missing, and one where our credentials aren't taken or can't be had.
 */
export async function runCheck(what: string, find: () => Promise<Finding[]>): Promise<CheckResult> {
  try {
    return { findings: await find(), hasLooked: true };
  } catch (error) {
    if (!isSecretsError(error)) throw error;
    if (httpStatusOf(error) === 403) {
      return { findings: [note(`${what}: not looked at, since ${error.message}`)], hasLooked: false };
    }
    const remedy = isSecretsError(error, "credentials_refused")
      ? "correct the user of the kubeconfig, or sign in again; kubectl auth whoami says whether it is taken"
      : "mend what it names, and look again";
    return { findings: [problem(`${what}: ${error.message}`, remedy)], hasLooked: true };
  }
}
