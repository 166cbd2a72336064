import { X509Certificate } from "node:crypto";
import { SecretsError } from "@flyte-secrets/core";
import type { Config, FoundCertificate, ManageOptions } from "@flyte-secrets/server";
import { Command } from "commander";
import type { Host } from "../host.ts";
import { examples } from "../options/examples.ts";
import { refuseTogether } from "../options/exclusive.ts";
import { mergedOptions } from "../options/merged-options.ts";
import { addSettingOptions, readConfig, type SettingOptions } from "../options/setting-options.ts";

interface CertsOptions extends SettingOptions {
  readonly renew?: boolean;
  readonly remove?: boolean;
  readonly namespace?: string;
}

/** `certs`. */
export function certsCommand(host: Host): Command {
  const command = new Command("certs")
    .summary("Show, renew or remove the webhook's certificate")
    .description(
      "Show the certificate that the webhook serves with: whose it is, its names and dates, and in a cluster whether the " +
        "registration carries its CA. Exit code 1 when there is none, or none that is good. The cluster is the one that this runs in, " +
        "or that --secret.kubernetes.kubeconfig names; without one, the certificate is in the data directory.",
    )
    .option("--renew", "put a new one in place; webhooks that run follow by themselves")
    .option("--remove", "delete the registration, so that no pod is sent to the webhook, and the certificate")
    .option("-n, --namespace <namespace>", "namespace of the webhook (default: that of this pod, else flyte)");
  return addSettingOptions(command)
    .addHelpText(
      "after",
      examples("certs", "certs --renew", "certs --remove -n flyte --secret.kubernetes.kubeconfig ~/.kube/config"),
    )
    .action(async () => {
      const options = mergedOptions<CertsOptions>(command);
      refuseTogether({ "--renew": options.renew, "--remove": options.remove });
      const config = await readConfig(options, host);
      await manage(config, options, host);
    });
}

async function manage(config: Config, { renew, remove, namespace }: CertsOptions, host: Host): Promise<void> {
  const server = await import("@flyte-secrets/server");
  const { env, home } = host;
  const client = server.connectCluster(config, { env, home, clock: server.systemClock });
  const log = server.createLogger(config.logger);
  const options: ManageOptions = {
    client,
    namespace: namespace ?? server.podNamespace({ env, configured: config.actions.kubernetes.namespace }),
    log,
  };
  try {
    if (remove) {
      const { removed, left } = await server.removeWebhook(config, options);
      host.stdout.write(removed.length === 0 ? "There was nothing to remove.\n" : `Removed ${removed.join(", ")}.\n`);
      if (left.length > 0) host.stdout.write(`Left ${left.join(", ")}, which others made.\n`);
      return;
    }
    if (renew) await server.renewCertificate(config, options);
    const found = await server.findCertificate(config, options);
    host.stdout.write(render(found));
    assertGood(found);
  } finally {
    client?.close();
  }
}

function render({ place, certificate, fault, registration }: FoundCertificate): string {
  const lines = [["In", place]];
  if (certificate && isReadable(certificate.cert)) {
    const {
      subject,
      subjectAltName = "",
      validFromDate,
      validToDate,
      fingerprint256,
    } = new X509Certificate(certificate.cert);
    lines.push(
      ["Subject", subject.replaceAll("\n", ", ")],
      ["Names", subjectAltName.replaceAll(/(?:DNS|IP Address):/g, "")],
      ["From", validFromDate.toISOString()],
      ["To", validToDate.toISOString()],
      ["SHA-256", fingerprint256],
    );
  }
  lines.push(["State", certificate ? (fault ?? "good") : "there is none; flyte-secrets webhook makes one"]);
  if (registration !== undefined) lines.push(["Registration", registration]);
  return lines.map(([name = "", value]) => `${name.padEnd(14)}${value}\n`).join("");
}

function isReadable(pem: string): boolean {
  try {
    return Boolean(new X509Certificate(pem));
  } catch {
    return false;
  }
}

function assertGood({ place, certificate, fault, registration }: FoundCertificate): void {
  if (!certificate) throw new SecretsError("check_failed", `${place}: there is no certificate`);
  if (fault !== undefined) throw new SecretsError("check_failed", `${place}: ${fault}; see --renew`);
  if (registration === "carries another CA") {
    throw new SecretsError("check_failed", "the registration carries another CA; a running webhook puts that right");
  }
}
