import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, type ServeProcess, startServe } from "@flyte-secrets/testkit";
import type { OidcIssuer } from "./oidc-issuer.ts";

/** A server of ours, and a home directory with the configuration that makes Flyte's own client call it. */
export interface FlyteServer {
  readonly serve: ServeProcess;
  readonly home: string;
  readonly configFile: string;
  /** Writes the client's configuration with these settings of its section `admin` beside the endpoint. */
  configure(admin: Readonly<Record<string, unknown>>): void;
  /** Ends the server, removes the home, and gives the exit code. */
  close(): Promise<{ exitCode: number | null }>;
}

/**
 * How clients reach a server and whether it asks them for our token. Flyte's client sends credentials over TLS only.
 */
export type FlyteServerKind = "plain" | "TLS" | "plain with token" | "TLS with token";

/**
 * Starts one. With a token, `admin.command` prints it; with an issuer, whose tokens are asked for over TLS, the test
 * says how the client gets one. `flags` are added to those of `serve`.
 */
export async function startFlyteServer(
  kind: FlyteServerKind | OidcIssuer,
  flags: readonly string[] = [],
): Promise<FlyteServer> {
  const home = mkdtempSync(join(tmpdir(), "flyte-client-"));
  const certFile = join(home, "server.crt");
  const keyFile = join(home, "server.key");
  const tls = typeof kind !== "string" || kind.startsWith("TLS");
  const token = typeof kind === "string" && kind.endsWith("token");
  const args: string[] = [];
  if (tls) {
    const { cert, key } = await createCertificate();
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
    args.push("--secret.server.tls.certFile", certFile, "--secret.server.tls.keyFile", keyFile);
  }
  const auth = typeof kind === "string" ? ["--auth", token ? "token" : "none"] : issuerFlags(kind);
  const serve = await startServe({ args: [...auth, ...args, ...flags] });
  const endpoint = `dns:///127.0.0.1:${serve.port}`;
  const configFile = join(home, "config.yaml");
  const configure = (admin: Readonly<Record<string, unknown>>) => {
    const connection = tls ? { endpoint, caCertFilePath: certFile } : { endpoint, insecure: true };
    // No project and no domain: the SDK takes them from here where a program names none, so it could not leave them
    // out.
    const task = { org: "testorg" };
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify({ admin: { ...connection, ...admin }, task }));
  };
  configure(token ? { authType: "ExternalCommand", command: ["cat", join(serve.directory, "store/token")] } : {});
  const close = async () => {
    rmSync(home, { recursive: true });
    return serve.close();
  };
  return { serve, home, configFile, configure, close };
}

function issuerFlags({ url, audience, people, scope }: OidcIssuer): string[] {
  const settings = {
    issuer: url,
    audience,
    clientId: people.clientId,
    redirectUri: people.redirectUri,
    scopes: scope,
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--secret.auth.oidc.${key}`, value]);
  return ["--auth", "oidc", ...flags];
}
