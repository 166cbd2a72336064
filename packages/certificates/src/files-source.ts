import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "@flyte-secrets/core";
import { SecretsError } from "@flyte-secrets/core";
import type { Logger } from "pino";
import { findFault } from "./chain.ts";
import { createCertificateRotator } from "./rotator.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";
import { watchDirectory } from "./watch-directory.ts";

/** The file system may not report changes, as for mounts over a network. */
const POLL_MS = 10_000;

/** From the first sign of a change to reading: the second file of a pair is usually written by then. */
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
 * Serves with the `tls.crt` and `tls.key` of a directory, and with its `ca.crt`, or without one with the chain itself, as what
 * clients verify by. Others write the files: cert-manager through a volume, a person. Changes are taken up, in whatever way
 * they are made; a pair that does not fit, such as one that is half written, leaves the old one in use. Throws `invalid_config`
 * when the first pair is no good.
 */
export function openFilesSource({ directory, clock, log }: FilesSourceOptions): CertificateSource {
  const first = readCertificateFiles(directory);
  const fault = findFault(first, { names: [], now: clock.now() });
  if (fault !== undefined) throw new SecretsError("invalid_config", `webhook.certDir: ${directory}: ${fault}.`);
  const holder = createCertificateRotator(first, clock);
  let refused = "";

  let reacting = false;
  const check = () => {
    reacting = false;
    const next = readCertificateFiles(directory);
    const problem = findFault(next, { names: [], now: clock.now() });
    if (problem === undefined) {
      refused = "";
      holder.adopt(next);
    } else if (next.cert + next.key !== refused) {
      // Once for each content.
      refused = next.cert + next.key;
      log.warn(`the certificate files in ${directory} are not taken up: ${problem}`);
    }
    plan(POLL_MS);
  };
  let stopTimer = () => {};
  const plan = (delayMs: number) => {
    stopTimer();
    stopTimer = clock.after(delayMs, check);
  };
  plan(POLL_MS);
  const stopWatching = watchDirectory(directory, () => {
    // The first of many changes counts: a busy directory must not put the look off for ever.
    if (!reacting) plan(REACTION_MS);
    reacting = true;
  });
  return {
    current: holder.current,
    onChange: holder.onChange,
    async close() {
      stopWatching();
      stopTimer();
      holder.close();
    },
  };
}

/** The pair of a directory. Files that are not there, or not now, are empty. */
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
