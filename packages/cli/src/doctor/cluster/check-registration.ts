import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { isIP } from "node:net";
import { connect } from "node:tls";
import type { Config } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import {
  type FoundCertificate,
  findCertificate,
  findRegisteredWebhook,
  type ManageOptions,
  type RegisteredWebhook,
  WEBHOOK_CONFIGURATIONS,
} from "@flyte-secrets/webhook";
import { probeWebhook } from "../../cluster/probe-webhook.ts";
import { toCertificateOptions } from "../../configured/webhook-options.ts";
import { type Finding, note, ok, problem } from "../finding.ts";

/** Our webhook in the registration; undefined where there is none. */
export async function readRegistered(client: KubeClient, { webhook }: Config): Promise<RegisteredWebhook | undefined> {
  const found = await client.get(WEBHOOK_CONFIGURATIONS, { name: webhook.serviceName });
  return found && findRegisteredWebhook(found);
}

/** Checks that the webhook has a valid certificate and that the registration carries its CA. */
export async function checkRegisteredCertificate(config: Config, options: ManageOptions): Promise<Finding[]> {
  const found = await findCertificate(toCertificateOptions(config), options);
  return [checkKept(found), ...checkBundle(found, config)];
}

function checkKept({ place, certificate, fault }: FoundCertificate): Finding {
  const renew =
    "flyte-secrets certs --renew --cluster, or have it renewed by whoever made it; a running webhook follows";
  if (certificate === undefined) {
    return problem(`there is no certificate in ${place}`, "flyte-secrets webhook makes one; else its log says why not");
  }
  if (fault !== undefined) return problem(`the certificate in ${place} can't be served with: ${fault}`, renew);
  const { validFromDate, validToDate } = new X509Certificate(certificate.cert);
  const until = `the certificate in ${place} is good until ${validToDate.toISOString()}`;
  const leftMs = validToDate.getTime() - Date.now();
  // A webhook that runs renews it when a third is left, as cert-manager does.
  const isLate = leftMs < (validToDate.getTime() - validFromDate.getTime()) / 4;
  return isLate ? problem(`${until} and was not renewed in time`, `${renew}; its log says what keeps it`) : ok(until);
}

/** Empty where there is no registration: {@link notRegistered} reports that. */
function checkBundle({ registration }: FoundCertificate, { webhook }: Config): Finding[] {
  const what = `MutatingWebhookConfiguration ${webhook.serviceName}`;
  if (registration === "carries its CA") return [ok(`${what} carries its CA`)];
  if (registration !== "carries another CA") return [];
  return [
    problem(
      `${what} carries another CA than the certificate's, so the API server refuses to talk to the webhook`,
      webhook.disableCreateMutatingWebhookConfig
        ? "have its caBundle set by whoever made it"
        : "start flyte-secrets webhook, which puts that right; else its log says why not",
    ),
  ];
}

/** That no pod is sent to the webhook. */
export function notRegistered({ webhook }: Config): Finding {
  return problem(
    `MutatingWebhookConfiguration ${webhook.serviceName} is not there or has not our webhook: pods get no secrets`,
    webhook.disableCreateMutatingWebhookConfig
      ? "make it, or leave webhook.disableCreateMutatingWebhookConfig out and the webhook makes it"
      : "start flyte-secrets webhook, which makes it; else its log says why not",
  );
}

const RESPONSE_LIMIT_MS = 5_000;

/**
 * Whether the webhook answers at the address of its registration with a certificate that the registration's CA vouches
 * for. The name of a Service is only known inside the cluster.
 */
export async function checkServedCertificate({ clientConfig = {} }: RegisteredWebhook): Promise<Finding> {
  const { url, service, caBundle = "" } = clientConfig;
  const address = new URL(url ?? `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}`);
  const host = address.hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect({
    host,
    port: Number(address.port || 443),
    ...(isIP(host) === 0 && { servername: host }),
    ...(caBundle && { ca: Buffer.from(caBundle, "base64") }),
    ALPNProtocols: ["http/1.1"],
  });
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(RESPONSE_LIMIT_MS) });
    return ok(`the webhook serves ${address.host} with a certificate that its registration vouches for`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no answer";
    if (service !== undefined && /^(ENOTFOUND|EAI_AGAIN)$/.test(code)) {
      return note(`${address.host} is known inside the cluster only: run this in a pod to see what is served there`);
    }
    return /CERT|SIGNATURE|ISSUER|ALTNAME|TLS/.test(code)
      ? problem(
          `the webhook at ${address.host} serves a certificate that its registration does not vouch for (${code})`,
          "look with flyte-secrets certs which it should be; restart a webhook that serves another",
        )
      : problem(
          `the webhook at ${address.host} cannot be reached (${code})`,
          "look whether it runs and is ready, and whether its Service and network policies lead to it",
        );
  } finally {
    socket.destroy();
  }
}

/**
 * Whether the API server reaches the webhook: a dry run of a pod whose annotation makes no sense must be turned down.
 * Nothing comes to be.
 */
export async function checkAdmissionCall(
  client: KubeClient,
  { namespace, registered }: { readonly namespace: string; readonly registered: RegisteredWebhook },
): Promise<Finding> {
  try {
    if ((await probeWebhook(client, namespace)).asked) return ok("the API server asks the webhook about pods");
  } catch (error) {
    if (isSecretsError(error, "store_unavailable", "deadline_exceeded")) {
      return problem(
        `the API server does not get an answer from the webhook: ${error.message}`,
        "look whether the webhook is ready and a network policy lets the API server reach it",
      );
    }
    throw error;
  }
  if (registered.failurePolicy === "Ignore") {
    return problem(
      `the API server creates a pod of namespace ${namespace} that the webhook would refuse: it doesn't ask, or gets ` +
        "no answer and does without (failurePolicy Ignore)",
      "look whether the webhook is ready and reached, then at the registration's selectors and matchConditions with " +
        "kubectl",
    );
  }
  const what = `the API server does not ask the webhook about pods of namespace ${namespace}`;
  const selectsNamespaces = Object.keys(registered.namespaceSelector ?? {}).length > 0;
  return selectsNamespaces
    ? note(`${what}, which its namespaceSelector may leave out`)
    : problem(what, "look at the registration's rules, objectSelector and matchConditions with kubectl");
}
