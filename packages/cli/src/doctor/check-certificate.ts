import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, getCACertificates, type TLSSocket } from "node:tls";
import type { Config } from "@flyte-secrets/config";
import { serviceCaFile } from "@flyte-secrets/store";
import { type Finding, ok, problem } from "./finding.ts";

const RESPONSE_LIMIT_MS = 5_000;
const ANOTHER_ONE = "flyte-secrets serve --tls makes one that all clients take";

/** What was found, and by which certificates clients of ours can verify the server. */
export interface CheckedCertificate {
  readonly findings: readonly Finding[];
  readonly isVerified: boolean;
  /** In PEM, this machine's authorities included. */
  readonly trusted: readonly string[];
}

/**
 * Whether clients can verify what a server shows on its TLS port, and until when: by this machine's authorities, the CA
 * that `serve --tls` has written, or the file of the settings.
 */
export async function checkCertificate(endpoint: string, secret: Config["secret"]): Promise<CheckedCertificate> {
  const { certFile } = secret.server.tls;
  const caFile = certFile || serviceCaFile(secret.store.path);
  const trusted = [...getCACertificates("default"), ...readOptionalFile(caFile)];
  const shown = await handshake(endpoint, trusted);
  if (typeof shown === "string") {
    const finding = problem(
      `${endpoint} makes no TLS connection (${shown})`,
      "stop it, then run flyte-secrets serve --tls",
    );
    return { findings: [finding], isVerified: false, trusted };
  }
  const { certificate, fault } = shown;
  return { findings: [judge(endpoint, { certificate, fault, caFile })], isVerified: fault === undefined, trusted };
}

interface Shown {
  readonly certificate: X509Certificate;
  /** Why it can't be verified, in OpenSSL's words. */
  readonly fault: string | undefined;
}

function judge(endpoint: string, { certificate, fault, caFile }: Shown & { caFile: string }): Finding {
  const end = new Date(certificate.validTo);
  const day = Number.isNaN(end.getTime()) ? certificate.validTo : end.toISOString().slice(0, 10);
  if (certificate.ca) {
    return problem(
      `the certificate of ${endpoint} is a CA's own (CA:TRUE): Flyte's clients refuse it (CaUsedAsEndEntity)`,
      `${ANOTHER_ONE}; openssl req needs -addext basicConstraints=critical,CA:FALSE`,
    );
  }
  if (end.getTime() < Date.now()) return problem(`the certificate of ${endpoint} ended on ${day}`, ANOTHER_ONE);
  if (fault === undefined) return ok(`clients can verify the certificate of ${endpoint}, until ${day}`);
  return problem(
    `clients can't verify the certificate of ${endpoint} by ${caFile} (${fault})`,
    `tell doctor where it is (--secret.server.tls.certFile FILE and keyFile), or: ${ANOTHER_ONE}`,
  );
}

/** What it shows, or why there is no connection. */
async function handshake(endpoint: string, ca: readonly string[]): Promise<Shown | string> {
  const { hostname, port } = new URL(endpoint);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  // Looked at, not trusted: nothing is sent.
  const socket: TLSSocket = connect({ host, port: Number(port || 443), ca: [...ca], rejectUnauthorized: false });
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(RESPONSE_LIMIT_MS) });
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return "no certificate";
    const fault = socket.authorized ? undefined : String(socket.authorizationError ?? "not trusted");
    return { certificate, fault };
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "no answer";
  } finally {
    socket.on("error", () => {}).destroy();
  }
}

function readOptionalFile(path: string): readonly string[] {
  try {
    return [readFileSync(path, "utf8")];
  } catch {
    return [];
  }
}
