import type { Config } from "@flyte-secrets/config";
import { defineResource, type KubeClient, type KubeObject } from "@flyte-secrets/kube";
import { type Component, type Finding, note, problem } from "../finding.ts";

/** What the configuration leaves open to more people than it has to, and what to set instead. */
export function checkExposure(components: readonly Component[], { secret, webhook }: Config): Finding[] {
  const findings: Finding[] = [];
  const { auth, server } = secret;
  if (components.includes("service")) {
    if (auth.mode === "none") {
      findings.push(
        problem(
          "the service asks nobody for credentials (secret.auth.mode none): who reaches it reads names and writes " +
            "values",
          "set secret.auth.mode to token or oidc",
        ),
      );
    }
    if (server.tls.certFile === "" && server.tls.secretName === "" && !server.tls.selfMade) {
      findings.push(
        note(
          "the service speaks plain HTTP: tokens and values cross the cluster's network in clear; set " +
            "secret.server.tls, or end TLS in front of it",
        ),
      );
    }
  }
  if (components.includes("service") && server.metricsBindAddress === "") {
    findings.push(
      note(
        "/metrics of the service asks for the credentials of its callers, so whoever scrapes it can delete secrets; " +
          "secret.server.metricsBindAddress gives it a port of its own that needs none",
      ),
    );
  }
  if (!components.includes("webhook")) return findings;
  const { cacheInvalidationPort, cacheInvalidationTokenFile, cacheInvalidationTokenSecret } = webhook;
  const hasToken = cacheInvalidationTokenFile !== "" || cacheInvalidationTokenSecret !== "";
  if (cacheInvalidationPort !== 0 && !hasToken) {
    findings.push(
      note(
        "/invalidate-secret has no token, so it answers its own machine and webhook.cacheInvalidationPeers alone; " +
          "set webhook.cacheInvalidationTokenSecret, or webhook.cacheInvalidationPort to 0",
      ),
    );
  }
  if (webhook.embeddedSecretManagerConfig.delivery === "Inline" && webhook.clientCA === "") {
    findings.push(
      problem(
        "delivery Inline answers reviews with values and asks for no certificate: who reaches webhook.listenPort " +
          "reads every secret",
        "set webhook.embeddedSecretManagerConfig.delivery to SecretRef, or webhook.clientCA",
      ),
    );
  }
  return findings;
}

interface PolicyBinding extends KubeObject {
  readonly spec?: {
    readonly policyName?: string;
    readonly matchResources?: {
      readonly namespaceSelector?: { readonly matchExpressions?: readonly { readonly values?: readonly string[] }[] };
    };
  };
}

const POLICY_BINDINGS = defineResource<PolicyBinding>({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
});

/** Whether pods are kept from the values in a namespace that they share with them; nothing where there is none. */
export async function checkGuard(client: KubeClient, namespace: string | undefined): Promise<Finding[]> {
  if (namespace === undefined) return [];
  const labelSelector = "app.kubernetes.io/part-of=flyte,app.kubernetes.io/component=guard";
  const { items } = await client.list(POLICY_BINDINGS, { labelSelector });
  const isGuard = ({ spec }: PolicyBinding) =>
    spec?.policyName?.endsWith("-pods") === true &&
    spec.matchResources?.namespaceSelector?.matchExpressions?.some(({ values }) => values?.includes(namespace)) ===
      true;
  const shared = `pods and values share namespace ${namespace}`;
  if (items.some(isGuard)) {
    return [note(`${shared}: the guard is there, and between projects the pods' labels alone decide`)];
  }
  return [
    problem(
      `${shared}, and there is no guard: a pod that names a Secret by itself reads every project's secrets`,
      "set guard.enabled of the chart, or give the values a namespace of their own (docs/installation.md)",
    ),
  ];
}

interface NetworkPolicy extends KubeObject {
  readonly spec?: {
    readonly ingress?: readonly {
      readonly from?: readonly object[];
      readonly ports?: readonly { readonly port?: number | string }[];
    }[];
  };
}

const NETWORK_POLICIES = defineResource<NetworkPolicy>({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
});

/**
 * Whether the chart's NetworkPolicy lets everybody reach the webhook's port of admissions; nothing where there is none
 * of the chart's.
 */
export async function checkAdmissionPort(
  client: KubeClient,
  { webhook }: Config,
  namespace: string,
): Promise<Finding[]> {
  const labelSelector = "app.kubernetes.io/part-of=flyte,app.kubernetes.io/component=webhook";
  const { items } = await client.list(NETWORK_POLICIES, { namespace, labelSelector });
  const isOpen = items.some(({ spec }) =>
    spec?.ingress?.some(({ ports, from }) => ports?.some(({ port }) => port === webhook.listenPort) && !from?.length),
  );
  if (!isOpen) return [];
  return [
    note(
      `everybody in the cluster reaches port ${webhook.listenPort}; name the API server in ` +
        "webhook.networkPolicy.admissionFrom of the chart (docs/installation.md)",
    ),
  ];
}
