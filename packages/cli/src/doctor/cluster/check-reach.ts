import { once } from "node:events";
import { isIP } from "node:net";
import { connect } from "node:tls";
import { isSecretsError } from "@flyte-secrets/core";
import type { KubeClient } from "@flyte-secrets/kube";
import type { RegisteredWebhook } from "@flyte-secrets/webhook";
import { askWebhook } from "../../cluster/ask-webhook.ts";
import { type Finding, note, ok, problem } from "../finding.ts";

const ANSWER_LIMIT_MS = 5_000;

/**
 * Whether the webhook answers at the address of its registration with a certificate that the registration's CA vouches for. The name
 * of a Service is only known inside the cluster.
 */
export async function checkServed({ clientConfig = {} }: RegisteredWebhook): Promise<Finding> {
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
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
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
 * Whether the API server reaches the webhook: a dry run of a pod whose annotation makes no sense must be turned down. Nothing comes
 * to be.
 */
export async function checkAsked(
  client: KubeClient,
  { namespace, registered }: { readonly namespace: string; readonly registered: RegisteredWebhook },
): Promise<Finding> {
  try {
    if ((await askWebhook(client, namespace)).asked) return ok("the API server asks the webhook about pods");
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
      `the API server creates a pod of namespace ${namespace} that the webhook would refuse: it doesn't ask, or gets no answer and does without (failurePolicy Ignore)`,
      "look whether the webhook is ready and reached, then at the registration's selectors and matchConditions with kubectl",
    );
  }
  const what = `the API server does not ask the webhook about pods of namespace ${namespace}`;
  const selectsNamespaces = Object.keys(registered.namespaceSelector ?? {}).length > 0;
  return selectsNamespaces
    ? note(`${what}, which its namespaceSelector may leave out`)
    : problem(what, "look at the registration's rules, objectSelector and matchConditions with kubectl");
}
