import { X509Certificate } from "node:crypto";
import { quote, SecretsError } from "@flyte-secrets/core";
import type { FoundCertificate } from "@flyte-secrets/webhook";
import { Command } from "commander";
import type { CertificateLocation, LocateCertificateOptions } from "../certs/locate-certificate.ts";
import type { CliContext } from "../context.ts";
import { mergeOptions, rejectCombination } from "../options/check-options.ts";
import { formatExamples } from "../options/command-tree.ts";
import { addSettingOptions } from "../options/setting-options.ts";

interface CertsOptions extends LocateCertificateOptions {
  readonly renew?: boolean;
  readonly remove?: boolean;
  readonly wait: string;
}

/** `certs`. */
export function certsCommand(cli: CliContext): Command {
  const command = new Command("certs")
    .summary("Show, renew or remove the webhook's certificate")
    .description(
      "Show the certificate that the webhook serves with: whose it is, its names and dates, and in a cluster " +
        "whether the registration carries its CA. Exit code 1 when there is none, or none that is good. It is that " +
        "of the cluster that KUBECONFIG or secret.kubernetes.kubeconfig names, or that this runs in, and of the " +
        "installation there that the chart made, unless -n and -c say otherwise. Without a cluster it is this " +
        "machine's, in the data directory.",
    )
    .option("--renew", "put a new one in place, and wait until the webhook serves it and it is registered")
    .option("--remove", "delete the registration, so that no pod is sent to the webhook, and the certificate")
    .option("--wait <duration>", "with --renew: how long to wait at most; 0s: not at all", "3m")
    .option("--cluster", "the cluster that kubectl would use, or the one that this runs in")
    .option("--local", "the certificate of a webhook on this machine; with --renew one is made where there is none")
    .option(
      "-n, --namespace <namespace>",
      "namespace of the webhook (default: where the chart installed it, else that of this pod, else flyte)",
    );
  return addSettingOptions(command)
    .addHelpText("after", formatExamples("certs", "certs --renew -n flyte", "certs --remove --cluster"))
    .action(async () => {
      const options = mergeOptions<CertsOptions>(command);
      const { renew, remove, cluster, local, namespace } = options;
      rejectCombination({ "--renew": renew, "--remove": remove });
      rejectCombination({ "--local": local, "--cluster": cluster });
      rejectCombination({ "--local": local, "--namespace": namespace });
      const waitMs = await readWait(options.wait);
      const changes = renew ? "--renew" : remove ? "--remove" : undefined;
      const { locateCertificate } = await import("../certs/locate-certificate.ts");
      const place = await locateCertificate(options, changes, cli);
      try {
        if (remove) await removeFrom(place, cli);
        else if (renew) await renewIn(place, { waitMs, makes: local === true }, cli);
        else show(place, await findIn(place), {}, cli);
      } finally {
        place.options.client?.close();
      }
    });
}

async function readWait(text: string): Promise<number> {
  const { parseGoDuration } = await import("@flyte-secrets/core");
  const waitMs = text.length > MAX_DURATION ? undefined : parseGoDuration(text);
  if (waitMs !== undefined && waitMs >= 0 && waitMs <= MAX_WAIT_MS) return waitMs;
  throw new SecretsError("usage", `--wait ${quote(text)}: must be a duration from 0s to 1h, such as 3m`);
}

const MAX_DURATION = 32;
const MAX_WAIT_MS = 3_600_000;

async function removeFrom({ config, options }: CertificateLocation, cli: CliContext): Promise<void> {
  const { removeWebhook } = await import("@flyte-secrets/webhook");
  const { toWebhookOptions } = await import("../configured/webhook-options.ts");
  const webhook = toWebhookOptions(config, options.namespace);
  const { removed, left } = await removeWebhook(webhook, options);
  const at = options.client ? ` at ${options.client.server}` : "";
  const where = at || ` on this machine, in ${webhook.certificate.directory}`;
  cli.stdout.write(
    removed.length === 0 ? `There was nothing to remove${where}.\n` : `Removed ${removed.join(", ")}${at}.\n`,
  );
  if (left.length > 0) cli.stdout.write(`Left ${left.join(", ")}, which others made.\n`);
}

interface Renewal {
  readonly waitMs: number;
  /** Where there is none. */
  readonly makes: boolean;
}

async function renewIn(place: CertificateLocation, { waitMs, makes }: Renewal, cli: CliContext): Promise<void> {
  const { fingerprintOf } = await import("@flyte-secrets/certificates");
  const { renewCertificate } = await import("@flyte-secrets/webhook");
  const { toCertificateOptions } = await import("../configured/webhook-options.ts");
  const { config, options } = place;
  const before = await findIn(place);
  if (!options.client && !before.certificate && !makes) {
    throw new SecretsError(
      "usage",
      `there is no certificate on this machine (${before.place}), and no cluster is known. Set KUBECONFIG or use ` +
        "--cluster for a cluster's, or --local to make one here.",
    );
  }
  const sha256 = fingerprintOf((await renewCertificate(toCertificateOptions(config), options)).cert);
  const verb = before.certificate ? "Renewed" : "Made";
  cli.stdout.write(
    `${verb} the certificate in ${before.place}${options.client ? ` at ${options.client.server}` : ""}.\n`,
  );
  const onWait = () =>
    cli.stderr.write("Waiting for the webhook, which serves a new one a minute after it has its CA registered ...\n");
  const { awaitRollout } = await import("../certs/await-rollout.ts");
  const seen = waitMs > 0 ? await awaitRollout(config, options, { sha256, timeoutMs: waitMs, onWait }) : undefined;
  const nobody = waitMs > 0 ? "by nobody now; flyte-secrets webhook takes it when it starts" : "not looked at";
  show(place, await findIn(place), { Served: seen?.how ?? nobody }, cli);
}

async function findIn({ config, options }: CertificateLocation): Promise<FoundCertificate> {
  const { findCertificate } = await import("@flyte-secrets/webhook");
  const { toCertificateOptions } = await import("../configured/webhook-options.ts");
  return await findCertificate(toCertificateOptions(config), options);
}

/** Throws `check_failed` for one that is no good. */
function show(
  { options, foundIn }: CertificateLocation,
  found: FoundCertificate,
  more: Readonly<Record<string, string>>,
  cli: CliContext,
): void {
  const cluster = options.client && { Cluster: options.client.server, ...(foundIn && { Configured: `by ${foundIn}` }) };
  cli.stdout.write(render(found, { ...cluster }, more));
  assertGood(found);
}

type Lines = Readonly<Record<string, string>>;

function render({ place, certificate, fault, registration }: FoundCertificate, before: Lines, after: Lines): string {
  const lines = [...Object.entries(before), ["In", place]];
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
  lines.push(...Object.entries(after));
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
