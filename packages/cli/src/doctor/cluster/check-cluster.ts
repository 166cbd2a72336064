import { INJECT_LABEL, isSecretsError } from "@flyte-secrets/core";
import {
  type Config,
  createLogger,
  defineResource,
  findCertificate,
  type KubeClient,
  type KubeObject,
  SECRETS,
  WEBHOOK_CONFIGURATIONS,
} from "@flyte-secrets/server";
import { checkClock } from "../check-clock.ts";
import { checkPods } from "../check-pods.ts";
import { type Finding, note, problem } from "../finding.ts";
import { checkAdmissionPort, checkExposure, checkGuard } from "./check-exposure.ts";
import { checkNamespace, usedNamespaces } from "./check-namespaces.ts";
import { checkAsked, checkServed } from "./check-reach.ts";
import { checkCertificate, notRegistered, readRegistered } from "./check-registration.ts";
import { checkRights } from "./check-rights.ts";
import { type NeededRights, neededRights, type Part } from "./needed-rights.ts";

export interface CheckClusterOptions {
  readonly client: KubeClient;
  readonly config: Config;
  readonly parts: readonly Part[];
  /** The webhook's. */
  readonly namespace: string;
  /** See {@link checkRights}. */
  readonly account: string | undefined;
}

/** Whether what runs in a cluster has all that it needs there, and pods their secrets. Changes nothing. */
export async function checkCluster(options: CheckClusterOptions): Promise<Finding[]> {
  const { client, config, parts, namespace, account } = options;
  const clock = await look("the API server", async () => {
    const { headers } = await client.request("GET", "/version");
    return [checkClock("the API server", headers.date)];
  });
  // Nothing else could be looked at.
  if (clock.some(({ state }) => state === "problem")) return clock;
  const namespaces = [...usedNamespaces(parts, config, namespace)].map(([used, setting]) =>
    look(`namespace ${used}`, () => checkNamespace(client, used, setting)),
  );
  const certificates = { client, namespace, log: createLogger(config.logger) };
  const keepsCertificate = !(await ifKnown(async () => (await findCertificate(config, certificates)).isForeign));
  const rights = parts.flatMap((part) => neededRights(part, config, { namespace, keepsCertificate }));
  const isMade = await Promise.all(rights.map((right) => ifKnown(() => isThere(client, right))));
  const needed = rights.filter((_, index) => !isMade[index]);
  const findings = await Promise.all([
    ...namespaces,
    look("rights", () => checkRights({ client, needed, account })),
    ...(parts.includes("webhook") ? checkWebhook(options) : []),
  ]);
  return [...clock, ...findings.flat(), ...checkExposure(parts, config)];
}

/** Whether what a right is for is there already. */
async function isThere(client: KubeClient, { makes: name, resource, namespace }: NeededRights): Promise<boolean> {
  if (name === undefined) return false;
  const kind = resource === "secrets" ? SECRETS : WEBHOOK_CONFIGURATIONS;
  return (await client.get<KubeObject>(kind, { namespace, name })) !== undefined;
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

function checkWebhook({ client, config, namespace }: CheckClusterOptions): Promise<Finding[]>[] {
  const log = createLogger(config.logger);
  return [
    look("the certificate", () => checkCertificate(config, { client, namespace, log })),
    look("the registration", async () => {
      const registered = await readRegistered(client, config);
      if (registered === undefined) return [notRegistered(config)];
      const asked = look("pods on their way", async () => [await checkAsked(client, { namespace, registered })]);
      return [await checkServed(registered), ...(await asked)];
    }),
    look("pods", async () => checkPods(await listPods(client))),
    look("the guard", () => checkGuard(client, config)),
    look("the network", () => checkAdmissionPort(client, config, namespace)),
  ];
}

interface AnyPod extends KubeObject {
  readonly [field: string]: unknown;
}

const PODS = defineResource<AnyPod>({ apiVersion: "v1", kind: "Pod", plural: "pods" });
const PAGE = 500;

/** The pods of all namespaces that should have been sent to the webhook. */
async function listPods(client: KubeClient): Promise<AnyPod[]> {
  const pods: AnyPod[] = [];
  let next: string | undefined;
  do {
    const page = await client.list(PODS, { labelSelector: `${INJECT_LABEL}=true`, limit: PAGE, continue: next });
    pods.push(...page.items);
    next = page.continue;
  } while (next !== undefined);
  return pods;
}

/** What a look at one thing finds. That it can't be looked at is a finding too, and no problem where only a right for it is missing. */
async function look(what: string, find: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await find();
  } catch (error) {
    if (isSecretsError(error, "credentials_refused", "call_refused")) {
      return [note(`${what}: not looked at, since ${error.message}`)];
    }
    if (isSecretsError(error)) return [problem(`${what}: ${error.message}`, "mend what it names, and look again")];
    throw error;
  }
}
