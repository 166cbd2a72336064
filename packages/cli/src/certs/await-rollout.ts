import { once } from "node:events";
import { connect } from "node:tls";
import { fingerprintOf } from "@flyte-secrets/certificates";
import type { Config } from "@flyte-secrets/config";
import { isSecretsError, SecretsError } from "@flyte-secrets/core";
import { findCertificate, type ManageOptions } from "@flyte-secrets/webhook";
import { probeWebhook } from "../cluster/probe-webhook.ts";
import { toCertificateOptions } from "../configured/webhook-options.ts";

const POLL_MS = 1_000;
const HANDSHAKE_MS = 5_000;

/** At once, each by a connection of its own, so that the replicas behind a Service answer. */
const QUESTIONS = 8;

/** What a webhook serves with, as far as one could see. */
export interface RolloutState {
  /** For messages: the client of the request, and its response. */
  readonly how: string;
  readonly isNew: boolean;
}

export interface AwaitRolloutOptions {
  /** The fingerprint that is waited for. */
  readonly sha256: string;
  /** From now; 0 looks once. */
  readonly timeoutMs: number;
  /** Called once, when the first look finds another certificate. */
  readonly onWait: () => void;
}

/**
 * Waits until the webhook serves with this certificate and, in a cluster, the registration carries its CA; gives how
 * that was seen, or undefined on a machine where no webhook runs. Throws `check_failed`, naming what is missing and
 * where it was looked for, when the time is over, and at once when another certificate has taken its place.
 */
export async function awaitRollout(
  config: Config,
  options: ManageOptions,
  { sha256, timeoutMs, onWait }: AwaitRolloutOptions,
): Promise<RolloutState | undefined> {
  const until = performance.now() + timeoutMs;
  for (let look = 1; ; look++) {
    const { place, certificate, registration } = await findCertificate(toCertificateOptions(config), options);
    const kept = fingerprintOf(certificate?.cert ?? "");
    if (kept !== sha256) throw replaced(place, { sha256, kept });
    const seen = await lookAt(config, options, sha256);
    if (seen === undefined) return undefined;
    const isRegistered = registration === undefined || registration === "carries its CA";
    if (seen.isNew && isRegistered) return seen;
    if (performance.now() >= until) {
      const missing = [
        ...(seen.isNew ? [] : [`it is not served: ${seen.how}`]),
        ...(isRegistered ? [] : [`MutatingWebhookConfiguration ${config.webhook.serviceName} ${registration}`]),
      ];
      throw new SecretsError(
        "check_failed",
        `${place} has the new certificate, and after ${Math.round(timeoutMs / 1000)} s ${missing.join("; ")}. ` +
          "Look at the webhook's log and readiness; flyte-secrets certs shows how far it is.",
      );
    }
    if (look === 1) onWait();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function replaced(place: string, { sha256, kept }: { readonly sha256: string; readonly kept: string }): SecretsError {
  return new SecretsError(
    "check_failed",
    `${place} holds another certificate again (SHA-256 ${kept || "none"}, not ${sha256}): somebody renewed it too, ` +
      "or a webhook put its own back, whose log then says why. Give the webhook's own configuration with -c, and " +
      "try again.",
  );
}

function lookAt(config: Config, options: ManageOptions, sha256: string): Promise<RolloutState | undefined> {
  return options.client ? askCluster(config, { ...options, client: options.client }, sha256) : askHere(config, sha256);
}

/** By the API server, which is whom the certificate is for. */
async function askCluster(
  { webhook, actions }: Config,
  { client, namespace }: ManageOptions & { readonly client: NonNullable<ManageOptions["client"]> },
  sha256: string,
): Promise<RolloutState> {
  const places = new Set([namespace, actions.kubernetes.namespace, ...webhook.writtenSecrets.namespaces.slice(0, 3)]);
  let how = "";
  for (const place of places) {
    try {
      if (!(await probeWebhook(client, place)).asked) {
        how ||= `the API server does not ask the webhook about pods of namespace ${place}`;
        continue;
      }
      const answers = await Promise.all(Array.from({ length: QUESTIONS }, () => probeWebhook(client, place)));
      const told = answers.map((answer) => (answer.asked ? answer.served : undefined));
      const count = told.filter((served) => served === sha256).length;
      const other = told.find((served) => served !== sha256);
      const rest = other === undefined ? "the others don't say which" : `others by ${other}`;
      const isNew = count === QUESTIONS;
      const of = `${count} of ${QUESTIONS} answers to the API server came by it`;
      return { isNew, how: isNew ? of : `${of}, ${rest}` };
    } catch (error) {
      if (!isSecretsError(error)) throw error;
      how ||= error.message;
    }
  }
  return { isNew: false, how };
}

/** Undefined where no process listens on the port. */
async function askHere({ webhook }: Config, sha256: string): Promise<RolloutState | undefined> {
  const address = `127.0.0.1:${webhook.listenPort}`;
  // Whom it is trusted by is not the question.
  const socket = connect({ host: "127.0.0.1", port: webhook.listenPort, rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(HANDSHAKE_MS) });
    const served = socket.getPeerX509Certificate()?.fingerprint256 ?? "none";
    return { isNew: served === sha256, how: `${address} serves ${served === sha256 ? "it" : served}` };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no answer";
    if (code === "ECONNREFUSED") return undefined;
    return { isNew: false, how: `${address} cannot be asked (${code})` };
  } finally {
    socket.destroy();
  }
}
