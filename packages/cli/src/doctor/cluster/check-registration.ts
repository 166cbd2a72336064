import { X509Certificate } from "node:crypto";
import type { Config } from "@flyte-secrets/config";
import type { KubeClient } from "@flyte-secrets/kube";
import {
  type FoundCertificate,
  findCertificate,
  findRegisteredWebhook,
  type ManageOptions,
  type RegisteredWebhook,
  WEBHOOK_CONFIGURATIONS,
} from "@flyte-secrets/webhook";
import { type Finding, ok, problem } from "../finding.ts";

/** Our webhook in the registration; undefined where there is none. */
export async function readRegistered(client: KubeClient, { webhook }: Config): Promise<RegisteredWebhook | undefined> {
  const found = await client.get(WEBHOOK_CONFIGURATIONS, { name: webhook.serviceName });
  return found && findRegisteredWebhook(found);
}

/** Whether there is a certificate to serve with, until when, and whether pods are sent to who has it. */
export async function checkCertificate(config: Config, options: ManageOptions): Promise<Finding[]> {
  const found = await findCertificate(config, options);
  return [checkKept(found), ...checkBundle(found, config)];
}

function checkKept({ place, certificate, fault }: FoundCertificate): Finding {
  const renew = "flyte-secrets certs --renew, or have it renewed by whoever made it; a running webhook follows";
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

/** Nothing where there is no registration: that is told where it is looked for. */
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
