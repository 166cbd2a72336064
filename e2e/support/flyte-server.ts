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
 * `none` is plain HTTP. All else is TLS, because Flyte's client sends credentials only there, after a call that ends with
 * `unauthenticated`. With `token`, `admin.command` prints our token; with an issuer, the test says how the client gets one.
 * (`admin.proxyCommand`, meant for plain HTTP, ends in a TypeError in flyte 2.12.1 before anything is sent.)
 */
export async function startFlyteServer(auth: "none" | "token" | OidcIssuer): Promise<FlyteServer> {
  const home = mkdtempSync(join(tmpdir(), "flyte-client-"));
  const certFile = join(home, "server.crt");
  const keyFile = join(home, "server.key");
  const tls = auth !== "none";
  const args: string[] = [];
  if (tls) {
    const { cert, key } = await createCertificate();
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
    args.push("--secret.server.tls.certFile", certFile, "--secret.server.tls.keyFile", keyFile);
  }
  const serve = await startServe({ args: [...authArgs(auth), ...args] });
  const endpoint = `dns:///127.0.0.1:${serve.port}`;
  const configFile = join(home, "config.yaml");
  const configure = (admin: Readonly<Record<string, unknown>>) => {
    const connection = tls ? { endpoint, caCertFilePath: certFile } : { endpoint, insecure: true };
    const task = { org: "testorg", project: "p", domain: "development" };
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify({ admin: { ...connection, ...admin }, task }));
  };
  configure(
    auth === "token" ? { authType: "ExternalCommand", command: ["cat", join(serve.directory, "store/token")] } : {},
  );
  const close = async () => {
    rmSync(home, { recursive: true });
    return serve.close();
  };
  return { serve, home, configFile, configure, close };
}

function authArgs(auth: "none" | "token" | OidcIssuer): string[] {
  if (typeof auth === "string") return ["--auth", auth];
  const { url, audience, device, scope } = auth;
  const settings = { issuer: url, audience, clientId: device.clientId, scopes: scope };
  const flags = Object.entries(settings).flatMap(([key, value]) => [`--secret.auth.oidc.${key}`, value]);
  return ["--auth", "oidc", ...flags];
}
