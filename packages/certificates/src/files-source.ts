import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { validateCertificate } from "./chain.ts";
import { createCertificateRotator } from "./rotator.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";
import { watchDirectory } from "./watch-directory.ts";

/** Files are read this often too, since some file systems, such as network mounts, report no changes. */
const POLL_MS = 10_000;

/** Delay from the first reported change to reading: the second file of a pair is usually written by then. */
const REACTION_MS = 100;

export interface FilesSourceOptions {
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whether a directory holds `tls.crt` and `tls.key`. */
export function hasCertificateFiles(directory: string): boolean {
  return existsSync(join(directory, "tls.crt")) && existsSync(join(directory, "tls.key"));
}

/**
 * Opens a source of the files `tls.crt` and `tls.key` of a directory, which cert-manager or a person writes. Clients
 * verify it by `ca.crt`, or without that file by the chain itself. Changes of every kind are followed; a pair that does
 * not match, such as a half-written one, is not used. Throws `invalid_config` when the first pair is not valid.
 */
export function openFilesSource({ directory, clock, log }: FilesSourceOptions): CertificateSource {
  const first = readCertificateFiles(directory);
  const problem = validateCertificate(first, { names: [], now: clock.now() });
  if (problem !== undefined) throw new SecretsError("invalid_config", `webhook.certDir: ${directory}: ${problem}.`);
  const rotator = createCertificateRotator(first, clock);
  let refused = "";

  let reacting = false;
  const readAgain = () => {
    reacting = false;
    const next = readCertificateFiles(directory);
    const problem = validateCertificate(next, { names: [], now: clock.now() });
    if (problem === undefined) {
      refused = "";
      rotator.rotateTo(next);
    } else if (next.cert + next.key !== refused) {
      // Logged once for each content.
      refused = next.cert + next.key;
      log.warn(`the certificate files in ${directory} cannot be used, serving with the previous ones: ${problem}`);
    }
    schedule(POLL_MS);
  };
  let stopTimer = () => {};
  const schedule = (delayMs: number) => {
    stopTimer();
    stopTimer = clock.after(delayMs, readAgain);
  };
  schedule(POLL_MS);
  const stopWatching = watchDirectory(directory, () => {
    // Only the first of many changes starts the delay: a busy directory must not postpone reading for ever.
    if (!reacting) schedule(REACTION_MS);
    reacting = true;
  });
  return {
    current: rotator.current,
    onChange: rotator.onChange,
    async close() {
      stopWatching();
      stopTimer();
      rotator.close();
    },
  };
}

/** Reads the pair of a directory. Missing files are empty. */
export function readCertificateFiles(directory: string): ServingCertificate {
  const read = (file: string) => {
    try {
      return readFileSync(join(directory, file), "utf8");
    } catch {
      return "";
    }
  };
  const cert = read("tls.crt");
  return { cert, key: read("tls.key"), ca: read("ca.crt") || cert };
}
