import { rmSync } from "node:fs";
import type { Config } from "@flyte-secrets/config";
import type { Logger } from "@flyte-secrets/http";
import { flyteConfigFile, readPrivateFile, serviceCaFile, writePrivateFile } from "@flyte-secrets/store";

/** Marks a file that serve wrote; any other is left alone. */
const FIRST_LINE =
  "# Written by flyte-secrets serve at each start: changes are lost. For Flyte's clients (--config).\n";

export interface FlyteConfigOptions {
  /** Where the server listens. */
  readonly endpoint: string;
  readonly log: Logger;
}

/**
 * Writes `flyte.yaml` (0600) to the data directory, by which Flyte's own clients reach this server. It contains the
 * paths of token and CA but neither of them: the clients run `cat` for the token. If they cannot reach the server
 * (authentication without TLS, or a foreign certificate, whose names are unknown), an earlier file is deleted, which is
 * logged. A file that something else wrote is left alone.
 * @returns its path, or undefined if there is none of this server. Never throws: the server runs without it.
 */
export async function writeFlyteConfig(
  secret: Config["secret"],
  { endpoint, log }: FlyteConfigOptions,
): Promise<string | undefined> {
  const path = flyteConfigFile(secret.store.path);
  try {
    const present = readPrivateFile(path);
    if (present !== undefined && !present.startsWith(FIRST_LINE)) {
      log.warn({ path }, "this file is not of our making and stays as it is");
      return undefined;
    }
    const admin = describeAdmin(secret, endpoint);
    if (admin === undefined) {
      rmSync(path, { force: true });
      if (present !== undefined)
        log.warn({ path }, "removed: Flyte's clients can't reach this server; serve --tls writes the file again");
      return undefined;
    }
    const { stringify } = await import("yaml");
    const text = `${FIRST_LINE}${stringify({ admin, task: { org: secret.organization } }, { lineWidth: 0 })}`;
    writePrivateFile(path, text, { replace: true });
    return path;
  } catch (error) {
    log.warn({ err: error, path }, "the configuration for Flyte's clients cannot be written");
    return undefined;
  }
}

/** The section `admin`, or undefined where Flyte's clients can't reach the server by one. */
function describeAdmin(secret: Config["secret"], endpoint: string): Record<string, unknown> | undefined {
  const { auth, server } = secret;
  const { protocol, host } = new URL(endpoint);
  const address = { endpoint: `dns:///${host}` };
  // Over plain HTTP they send no credentials.
  if (protocol === "http:") return auth.mode === "none" ? { ...address, insecure: true } : undefined;
  if (server.tls.certFile !== "" || server.tls.secretName !== "") return undefined;
  const verified = { ...address, caCertFilePath: serviceCaFile(secret.store.path) };
  switch (auth.mode) {
    case "none":
      return verified;
    case "token":
      return { ...verified, authType: "ExternalCommand", command: ["cat", auth.tokenFile] };
    case "oidc":
      return { ...verified, authType: "DeviceFlow" };
  }
}
