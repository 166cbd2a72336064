import { join } from "node:path";
import { makeDirectory } from "../../store/make-directory.ts";
import { readPrivateFile, writePrivateFile } from "../../store/private-file.ts";
import type { ServingCertificate } from "../certificate-source.ts";
import type { CertificateKeeper } from "./certificate-keeper.ts";
import { watchDirectory } from "./watch-directory.ts";

/** One file holds all three, so that none is ever seen without the others. */
const FILE = "webhook-certificate.pem";

/** The CAs alone, for whoever calls the webhook. */
export const CA_FILE = "webhook-ca.crt";

/**
 * Keeps the certificate in a directory (made 0700) of one machine, where there is no cluster: `webhook-certificate.pem` (0600),
 * key, certificate and CAs, for all processes that serve with it.
 */
export function createFileKeeper(directory: string): CertificateKeeper {
  makeDirectory(directory);
  const path = join(directory, FILE);
  const write = (certificate: ServingCertificate, replace: boolean) => {
    const done = writePrivateFile(path, encode(certificate), { replace });
    if (done) writePrivateFile(join(directory, CA_FILE), certificate.ca, { replace: true });
    return done;
  };
  return {
    name: path,
    async read() {
      const text = readPrivateFile(path);
      if (text === undefined) return undefined;
      return {
        certificate: decode(text),
        foreign: false,
        // Without locks the last of two writes stays, and both processes read it when they hear of it.
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
