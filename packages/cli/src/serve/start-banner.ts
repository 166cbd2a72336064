import type { Config } from "@flyte-secrets/config";
import type { RunningWebhook } from "@flyte-secrets/webhook";
import type { OwnService } from "./run-service.ts";

/** The last line. Whoever has started a server as a process of its own knows by it that the server answers. */
export const END_OF_BANNER = "Stop: Ctrl-C\n";

/** Where it listens and how to use it. The token itself stays in its file. */
export function startBanner(
  { endpoint, socketPath, flyteConfig }: OwnService,
  { store, kubernetes, auth }: Config["secret"],
  webhook: RunningWebhook | undefined,
): string {
  const lines = [`Listening on ${endpoint}`];
  if (webhook) lines.push(`Webhook on   port ${webhook.ports.admission}`);
  const { namespace } = kubernetes;
  lines.push(
    store.type === "Embedded" ? `Data in      ${store.path}` : `Secrets in   namespace ${namespace} of the cluster`,
  );
  if (socketPath) lines.push(`Socket       ${socketPath}`);
  lines.push("This user's flyte-secrets commands and SDK find it by themselves and need no token.");
  if (auth.mode === "token") {
    lines.push(`Token in     ${auth.tokenFile}`, "Other clients send it as `authorization: Bearer TOKEN`.");
  } else if (auth.mode === "oidc") {
    lines.push(`Other clients send a token that ${auth.oidc.issuer} has issued for ${auth.oidc.audience}.`);
  } else {
    lines.push("Everybody who reaches this address may use it (--auth none).");
  }
  if (flyteConfig) lines.push(`Flyte's CLI  flyte --config ${flyteConfig} create secret my-secret`);
  lines.push("Try:  flyte-secrets create secret my-secret");
  return `${lines.join("\n")}\n${END_OF_BANNER}`;
}
