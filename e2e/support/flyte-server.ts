import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, type ServeProcess, startServe } from "@flyte-secrets/testkit";

/** A server of ours, and a home directory with the configuration that makes Flyte's own client call it. */
export interface FlyteServer {
  readonly serve: ServeProcess;
  readonly home: string;
  readonly configFile: string;
  /** Ends the server, removes the home, and gives the exit code. */
  close(): Promise<{ exitCode: number | null }>;
}

/**
 * `none` is plain HTTP. `token` is TLS, because Flyte's client sends credentials only there: `admin.command` prints our token
 * and the client sends it after the first call that ends with `unauthenticated`. (`admin.proxyCommand`, meant for plain
 * HTTP, ends in a TypeError in flyte 2.12.1 before anything is sent.)
 */
export async function startFlyteServer(auth: "none" | "token"): Promise<FlyteServer> {
  const home = mkdtempSync(join(tmpdir(), "flyte-client-"));
  const certFile = join(home, "server.crt");
  const keyFile = join(home, "server.key");
  const tls = auth === "token";
  if (tls) {
    const { cert, key } = await createCertificate();
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
  }
  const tlsArgs = ["--secret.server.tls.certFile", certFile, "--secret.server.tls.keyFile", keyFile];
  const serve = await startServe({ args: ["--auth", auth, ...(tls ? tlsArgs : [])] });
  const admin = tls
    ? {
        endpoint: `dns:///127.0.0.1:${serve.port}`,
        caCertFilePath: certFile,
        authType: "ExternalCommand",
        command: ["cat", join(serve.directory, "store/token")],
      }
    : { endpoint: `dns:///127.0.0.1:${serve.port}`, insecure: true };
  const configFile = join(home, "config.yaml");
  // JSON is YAML.
  writeFileSync(configFile, JSON.stringify({ admin, task: { org: "testorg", project: "p", domain: "development" } }));
  const close = async () => {
    rmSync(home, { recursive: true });
    return serve.close();
  };
  return { serve, home, configFile, close };
}
