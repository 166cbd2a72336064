import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeDirectory, readPrivateFile, writePrivateFile } from "@flyte-secrets/store";
import type { CertificateStorage, ServingCertificate } from "./source.ts";
import { watchDirectory } from "./watch-directory.ts";

/** The names of the files that are written. */
export interface CertificateFiles {
  /** One file with key, certificate and CAs, so that a reader never sees one without the others. */
  readonly certificate: string;
  /** The CAs alone, for clients. */
  readonly ca: string;
}

const WEBHOOK_FILES: CertificateFiles = { certificate: "webhook-certificate.pem", ca: "webhook-ca.crt" };

/**
 * Stores a certificate in a directory (created 0700) of one machine, where there is no cluster. Both files belong to
 * this user alone (0600). The file names are the webhook's by default.
 */
export function createFileStorage(directory: string, files = WEBHOOK_FILES): CertificateStorage {
  makeDirectory(directory);
  const path = join(directory, files.certificate);
  const caPath = join(directory, files.ca);
  const write = (certificate: ServingCertificate, replace: boolean) => {
    const done = writePrivateFile(path, encode(certificate), { replace });
    if (done) writePrivateFile(caPath, certificate.ca, { replace: true });
    return done;
  };
  return {
    name: path,
    async read() {
      const text = readPrivateFile(path);
      if (text === undefined) return undefined;
      const certificate = decode(text);
      // A process that ended between the two writes left the old file, and a person may have deleted it.
      if (certificate.ca !== "" && readText(caPath) !== certificate.ca) {
        writePrivateFile(caPath, certificate.ca, { replace: true });
      }
      return {
        certificate,
        foreign: false,
        // Without locks the last write wins, and both processes read it after the change is reported.
        replace: async (certificate) => readPrivateFile(path) === text && write(certificate, true),
      };
    },
    create: async (certificate) => write(certificate, false),
    onChange(listener) {
      const stop = watchDirectory(directory, listener);
      return async () => stop();
    },
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function encode({ cert, key, ca }: ServingCertificate): string {
  return `${key}${MARK}certificate\n${cert}${MARK}authorities\n${ca}`;
}

/** PEM allows text between its blocks. */
const MARK = "# ";

function decode(text: string): ServingCertificate {
  const [key = "", rest = ""] = text.split(`${MARK}certificate\n`);
  const [cert = "", ca = ""] = rest.split(`${MARK}authorities\n`);
  return { key, cert, ca };
}
