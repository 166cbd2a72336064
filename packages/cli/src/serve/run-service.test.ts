import { createHmac, X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileStorage, issueCertificate } from "@flyte-secrets/certificates";
import { loadConfig } from "@flyte-secrets/config";
import { isSecretsError } from "@flyte-secrets/core";
import { createLogger, listen } from "@flyte-secrets/http";
import { startCollector } from "@flyte-secrets/http/testing";
import { startIssuer } from "@flyte-secrets/service/testing";
import { SERVICE_FILES } from "@flyte-secrets/store";
import { createCertificate } from "@flyte-secrets/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type OwnService, runService } from "./run-service.ts";

let directory: string;
let data: string;
let logged: string[];
let running: OwnService[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-start-"));
  data = join(directory, "data");
  logged = [];
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((server) => server.close()));
  rmSync(directory, { recursive: true });
});

async function start(flags: Record<string, string> = {}, env: Record<string, string> = {}): Promise<OwnService> {
  const settings = { "secret.server.port": "0", "secret.store.path": data, "logger.level": "debug", ...flags };
  const config = loadConfig({ files: [], defaultFiles: [], env, flags: settings, home: directory, cwd: directory });
  const log = createLogger(config.logger, { write: (line) => void logged.push(line) });
  const server = await runService(config, { log });
  running.push(server);
  return server;
}

/** Code and message of what starting throws. */
async function refusal(flags: Record<string, string>, env?: Record<string, string>): Promise<string> {
  try {
    return `returned ${(await start(flags, env)).endpoint}`;
  } catch (error) {
    return isSecretsError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

function call(endpoint: string, method: string, token?: string): Promise<Response> {
  return fetch(`${endpoint}/flyteidl2.secret.SecretService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ id: { name: "api-key" }, secretSpec: { stringValue: "v" } }),
  });
}

/** A call without credentials over a Unix socket; its status. */
async function callSocket(socketPath: string, method: string): Promise<number | undefined> {
  const path = `/flyteidl2.secret.SecretService/${method}`;
  const headers = { "content-type": "application/json" };
  const sent = requestHttp({ socketPath, path, method: "POST", headers, agent: false });
  sent.end(JSON.stringify({ id: { name: "api-key" }, secretSpec: { stringValue: "v" } }));
  const answer: IncomingMessage = (await once(sent, "response"))[0];
  answer.resume();
  return answer.statusCode;
}

const announced = () => JSON.parse(readFileSync(join(data, "server.json"), "utf8"));
const readToken = () => readFileSync(join(data, "token"), "utf8").trim();

it("sends its last spans before it is closed", async () => {
  const collector = await startCollector();
  const server = await start({ "otel.type": "otlphttp", "otel.otlphttp.endpoint": collector.url });
  await call(server.endpoint, "CreateSecret", readToken());
  await server.close();
  expect(collector.spans().map(({ service, name }) => `${service} ${name}`)).toEqual([
    "secret-service flyteidl2.secret.SecretService/CreateSecret",
  ]);
});

describe("with nothing configured", () => {
  it("serves on loopback with a token, and everything it made is for this user alone", async () => {
    const { endpoint } = await start();
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(statSync(join(data, "token")).mode & 0o777).toBe(0o600);
    expect((await call(endpoint, "CreateSecret")).status).toBe(401);
    expect((await call(endpoint, "CreateSecret", "wrong-wrong-wrong")).status).toBe(401);
    expect((await call(endpoint, "CreateSecret", readToken())).status).toBe(200);
    expect((await call(endpoint, "GetSecret", readToken())).status).toBe(200);
    expect(await fetch(`${endpoint}/readyz`).then((answer) => answer.status)).toBe(200);
    expect(logged.join("")).not.toContain(readToken());
  });

  it("tells its address in server.json while it runs, and leaves nothing behind that says so", async () => {
    const server = await start();
    const startedAt = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(announced()).toEqual({ endpoint: server.endpoint, pid: process.pid, startedAt });
    await server.close();
    expect(existsSync(join(data, "server.json"))).toBe(false);
    expect(existsSync(join(data, "server.sock"))).toBe(false);
    await expect(fetch(`${server.endpoint}/healthz`)).rejects.toThrow();
    await server.close();
  });

  it("keeps token and secrets from one start to the next", async () => {
    const first = await start();
    const token = readToken();
    await call(first.endpoint, "CreateSecret", token);
    await first.close();
    const second = await start();
    expect((await call(second.endpoint, "GetSecret", token)).status).toBe(200);
  });
});

describe("a port for probes or metrics", () => {
  const freePort = async () => {
    const listener = await listen({ handler: (_, res) => void res.end(), host: "127.0.0.1", port: 0 });
    await listener.close({ graceMs: 0 });
    return listener.port;
  };

  it("answers them alone, beside the main port", async () => {
    const port = await freePort();
    const { endpoint, close } = await start({ "secret.server.probeBindAddress": `127.0.0.1:${port}` });
    const status = async (url: string) => (await fetch(url)).status;
    expect(await status(`http://127.0.0.1:${port}/readyz`)).toBe(200);
    expect(await status(`http://127.0.0.1:${port}/healthz`)).toBe(200);
    expect(await status(`http://127.0.0.1:${port}/metrics`)).toBe(404);
    expect(await status(`${endpoint}/readyz`)).toBe(200);
    await close();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
  });

  it("gives metrics without credentials on a port that answers nothing else, and on the main port to callers as before", async () => {
    const port = await freePort();
    const { endpoint, close } = await start({ "secret.server.metricsBindAddress": `127.0.0.1:${port}` });
    const asked = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect([asked.status, await asked.text()]).toEqual([
      200,
      expect.stringContaining("# TYPE rpc_server_duration_seconds histogram"),
    ]);
    for (const path of ["/", "/readyz", "/secrets/api/v1/secrets", "/flyteidl2.secret.SecretService/ListSecrets"]) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: "{}" });
      expect([response.status, await response.json()]).toEqual([
        404,
        expect.objectContaining({ code: "unimplemented" }),
      ]);
    }
    expect((await fetch(`${endpoint}/metrics`)).status).toBe(401);
    const authorization = `Bearer ${readToken()}`;
    expect((await fetch(`${endpoint}/metrics`, { headers: { authorization } })).status).toBe(200);
    await close();
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow();
  });

  it("is named when it can't be had", async () => {
    const { port } = new URL((await start()).endpoint);
    const other = { "secret.store.path": join(directory, "other") };
    expect(await refusal({ ...other, "secret.server.probeBindAddress": `127.0.0.1:${port}` })).toBe(
      `listen_failed: 127.0.0.1:${port} is in use: stop the other server, or choose another port (secret.server.probeBindAddress)`,
    );
    expect(await refusal({ ...other, "secret.server.probeBindAddress": "8094" })).toBe(
      "invalid_config: secret.server.probeBindAddress: must be HOST:PORT such as :8081, or empty for none",
    );
  });
});

describe("the socket in the data directory", () => {
  it("asks nobody for credentials, since it is for this user alone, whatever the port asks for", async () => {
    const { endpoint, socketPath = "" } = await start();
    expect(socketPath).toBe(join(data, "server.sock"));
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    expect(await callSocket(socketPath, "CreateSecret")).toBe(200);
    expect((await call(endpoint, "GetSecret")).status).toBe(401);
    expect((await call(endpoint, "GetSecret", readToken())).status).toBe(200);
  });

  it("takes the place of one that a killed server has left", async () => {
    mkdirSync(data, { mode: 0o700 });
    const left = createServer().listen(join(data, "server.sock"));
    await once(left, "listening");
    // Its file without a listener, as after kill -9.
    renameSync(join(data, "server.sock"), join(data, "kept"));
    left.close();
    renameSync(join(data, "kept"), join(data, "server.sock"));
    writeFileSync(join(data, "server.json"), '{"endpoint":"http://127.0.0.1:9","pid":1}', { mode: 0o600 });
    const { endpoint, socketPath = "" } = await start();
    expect(await callSocket(socketPath, "CreateSecret")).toBe(200);
    expect(announced()).toEqual({ endpoint, pid: process.pid, startedAt: expect.any(String) });
  });

  it("is missing where its path is too long: the port proves itself by the key of server.json", async () => {
    data = join(directory, "d".repeat(100));
    const { endpoint, socketPath } = await start();
    expect(socketPath).toBeUndefined();
    expect(logged.join("")).toContain("no Unix socket here");
    const { proofKey } = announced();
    expect(proofKey).toMatch(/^[\w-]{43}$/);
    const nonce = "0123456789abcdef".repeat(4);
    const proof = await fetch(`${endpoint}/server-proof?nonce=${nonce}`);
    expect(await proof.text()).toBe(createHmac("sha256", proofKey).update(nonce).digest("hex"));
    for (const query of ["", "?nonce=", `?nonce=${nonce}0`, `?nonce=${nonce.toUpperCase()}`]) {
      expect((await fetch(`${endpoint}/server-proof${query}`)).status).toBe(404);
    }
  });
});

describe("two servers", () => {
  it("run side by side on two data directories, and on one the second is refused and the first goes on", async () => {
    const { endpoint } = await start();
    const other = await start({ "secret.store.path": join(directory, "other") });
    expect(await refusal({})).toBe(
      `listen_failed: another server runs on ${data}: flyte-secrets serve --status shows it, and --stop ends it; or give this one a data directory of its own (secret.store.path)`,
    );
    expect(announced()).toEqual({ endpoint, pid: process.pid, startedAt: expect.any(String) });
    expect(await callSocket(join(data, "server.sock"), "CreateSecret")).toBe(200);
    expect(await callSocket(other.socketPath ?? "", "GetSecret")).toBe(404);
  });

  it("need two ports: the setting is named when one is taken, and nothing of the second is left", async () => {
    const { endpoint } = await start();
    const { port } = new URL(endpoint);
    const other = { "secret.store.path": join(directory, "other"), "secret.server.port": port };
    expect(await refusal(other)).toMatch(
      new RegExp(`^listen_failed: 127\\.0\\.0\\.1:${port} is in use: .*secret\\.server\\.port`),
    );
    expect(existsSync(join(directory, "other/server.sock"))).toBe(false);
    expect((await call(endpoint, "CreateSecret", readToken())).status).toBe(200);
  });
});

describe("authentication", () => {
  const none = { "secret.auth.mode": "none" };

  it.each(["127.0.0.1", "127.0.0.2", "localhost"])("may be off on %s", async (host) => {
    const { endpoint } = await start({ ...none, "secret.server.host": host });
    expect((await call(endpoint, "CreateSecret")).status).toBe(200);
    expect(existsSync(join(data, "token"))).toBe(false);
  });

  it.each([
    "0.0.0.0",
    "::",
    "192.0.2.1",
    "127.example.com",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "notlocalhost",
  ])("may not be off on %s, and nothing is made then", async (host) => {
    expect(await refusal({ ...none, "secret.server.host": host })).toBe(
      `invalid_config: secret.auth.mode none on ${host} would let everybody who reaches it read names and write values; keep ` +
        "secret.auth.mode token, listen on 127.0.0.1 (secret.server.host), or set secret.auth.allowUnauthenticatedNetwork to true",
    );
    expect(existsSync(data)).toBe(false);
  });

  it.each([
    ["::", ["127.0.0.1", "[::1]"]],
    ["0.0.0.0", ["127.0.0.1"]],
  ])("listens on %s for clients of %j", async (host, addresses) => {
    const { endpoint } = await start({ "secret.server.host": host });
    for (const address of addresses) {
      const { status } = await fetch(`http://${address}:${new URL(endpoint).port}/healthz`);
      expect([address, status]).toEqual([address, 200]);
    }
  });

  it("may be off beyond this machine when told so in so many words", async () => {
    const { endpoint } = await start({
      ...none,
      "secret.server.host": "0.0.0.0",
      "secret.auth.allowUnauthenticatedNetwork": "true",
    });
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect((await call(endpoint, "CreateSecret")).status).toBe(200);
  });

  it("takes the tokens of a configured issuer, and makes none of its own", async () => {
    const issuer = await startIssuer();
    const oidc = { "secret.auth.oidc.issuer": issuer.url, "secret.auth.oidc.audience": "secrets" };
    const { endpoint } = await start({ "secret.auth.mode": "oidc", ...oidc });
    expect((await call(endpoint, "CreateSecret", await issuer.sign())).status).toBe(200);
    expect((await call(endpoint, "CreateSecret", await issuer.sign({ aud: "other" }))).status).toBe(401);
    expect(existsSync(join(data, "token"))).toBe(false);
  });

  it("takes the token from a file of one's own", async () => {
    const tokenFile = join(directory, "own");
    writeFileSync(tokenFile, "a-token-of-my-own-0815\n", { mode: 0o600 });
    const { endpoint } = await start({ "secret.auth.tokenFile": tokenFile });
    expect((await call(endpoint, "CreateSecret", "a-token-of-my-own-0815")).status).toBe(200);
    expect(existsSync(join(data, "token"))).toBe(false);
  });
});

describe("the data directory", () => {
  it("is refused when others may read it, with the command that mends it", async () => {
    mkdirSync(data);
    chmodSync(data, 0o750);
    expect(await refusal({})).toBe(
      `unsafe_permissions: ${data} is open to other users (mode 0750). Run: chmod 700 ${data}`,
    );
  });

  it("is closed again when a later step fails, so that the next start works", async () => {
    await start().then((server) => server.close());
    chmodSync(join(data, "token"), 0o644);
    expect(await refusal({})).toContain(`chmod 600 ${join(data, "token")}`);
    chmodSync(join(data, "token"), 0o600);
    await start();
  });
});

describe("a Kubernetes store without a cluster", () => {
  it("is refused, and nothing is made", async () => {
    expect(await refusal({ "secret.store.type": "kubernetes" })).toMatch(
      /^invalid_config: No Kubernetes cluster is known: .* Set secret\.kubernetes\.kubeconfig or KUBECONFIG\.$/,
    );
    expect(existsSync(data)).toBe(false);
  });
});

const modeOf = ({ mode }: Stats): string => (mode & 0o777).toString(8);

describe("flyte.yaml", () => {
  const file = () => join(data, "flyte.yaml");
  const read = () => parse(readFileSync(file(), "utf8"));
  const endpointOf = ({ endpoint }: OwnService) => `dns:///${new URL(endpoint).host}`;
  const selfMade = { "secret.server.tls.selfMade": "true" };

  it("names endpoint, CA and how to get the token, for its user alone, and holds no token", async () => {
    const server = await start(selfMade);
    expect(server.flyteConfig).toBe(file());
    expect(read()).toEqual({
      admin: {
        endpoint: endpointOf(server),
        caCertFilePath: join(data, "tls/ca.crt"),
        authType: "ExternalCommand",
        command: ["cat", join(data, "token")],
      },
      task: { org: "flyte" },
    });
    expect(modeOf(statSync(file()))).toBe("600");
    expect(readFileSync(file(), "utf8")).not.toContain(readFileSync(join(data, "token"), "utf8").trim());
  });

  it("needs no TLS where nobody is asked for a token", async () => {
    const server = await start({ "secret.auth.mode": "none" });
    expect(read().admin).toEqual({ endpoint: endpointOf(server), insecure: true });
    await server.close();
    const other = await start({ "secret.auth.mode": "none", ...selfMade });
    expect(read().admin).toEqual({ endpoint: endpointOf(other), caCertFilePath: join(data, "tls/ca.crt") });
  });

  it("is removed where Flyte's clients can't reach the server, and left alone where somebody else has written it", async () => {
    await (await start(selfMade)).close();
    const plain = await start();
    expect([plain.flyteConfig, existsSync(file())]).toEqual([undefined, false]);
    await plain.close();
    writeFileSync(file(), "admin: { endpoint: mine }\n", { mode: 0o600 });
    const server = await start(selfMade);
    expect([server.flyteConfig, readFileSync(file(), "utf8")]).toEqual([undefined, "admin: { endpoint: mine }\n"]);
    expect(logged.join("")).toContain("not of our making");
  });
});

describe("TLS", () => {
  async function writeCertificate() {
    const { cert, key } = await createCertificate();
    const [certFile, keyFile] = [join(directory, "tls.crt"), join(directory, "tls.key")];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    return { cert, certFile, keyFile };
  }

  it("serves HTTPS with the given files", async () => {
    const { cert, certFile, keyFile } = await writeCertificate();
    const { endpoint } = await start({ "secret.server.tls.certFile": certFile, "secret.server.tls.keyFile": keyFile });
    expect(endpoint).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const status = await new Promise((resolve, reject) => {
      request(`${endpoint}/healthz`, { ca: cert, agent: false }, (answer) => resolve(answer.resume().statusCode))
        .on("error", reject)
        .end();
    });
    expect(status).toBe(200);
  });

  const readData = (...path: string[]) => readFileSync(join(data, ...path), "utf8");
  const selfMade = { "secret.server.tls.selfMade": "true" };

  it("makes a certificate for this machine, keeps it over a restart, and writes its CA again where that is lost", async () => {
    const first = await start(selfMade);
    const kept = readData("tls/server-certificate.pem");
    const ca = readData("tls/ca.crt");
    expect([statSync(join(data, "tls")), statSync(join(data, "tls/server-certificate.pem"))].map(modeOf)).toEqual([
      "700",
      "600",
    ]);
    const leaf = new X509Certificate(kept.slice(kept.indexOf("-----BEGIN CERTIFICATE")));
    expect([leaf.ca, leaf.subjectAltName]).toEqual([
      false,
      "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
    ]);
    await first.close();
    rmSync(join(data, "tls/ca.crt"));
    const { endpoint } = await start(selfMade);
    expect([readData("tls/server-certificate.pem"), readData("tls/ca.crt")]).toEqual([kept, ca]);
    for (const url of [endpoint, endpoint.replace("127.0.0.1", "localhost")]) {
      const answer: IncomingMessage = (
        await once(request(`${url}/healthz`, { ca, agent: false }).end(), "response")
      )[0];
      expect(answer.resume().statusCode).toBe(200);
    }
  });

  it("makes another one where the kept one is due, and clients of either CA are served meanwhile", async () => {
    const now = Date.now() - 300 * 24 * 3_600_000;
    const due = await issueCertificate({ names: ["localhost", "127.0.0.1", "::1"], now });
    await createFileStorage(join(data, "tls"), SERVICE_FILES).create(due);
    await start(selfMade);
    expect(readData("tls/server-certificate.pem")).not.toContain(due.cert);
    expect(readData("tls/ca.crt").match(/BEGIN/g)).toHaveLength(2);
    expect(readData("tls/ca.crt")).toContain(due.ca.trim());
  });

  it("names the file that is missing, and files that are no pair", async () => {
    const { certFile } = await writeCertificate();
    const flags = { "secret.server.tls.certFile": certFile };
    expect(await refusal({ ...flags, "secret.server.tls.keyFile": "/none.key" })).toBe(
      "invalid_config: secret.server.tls.keyFile: /none.key cannot be read (ENOENT)",
    );
    expect(await refusal({ ...flags, "secret.server.tls.keyFile": certFile })).toBe(
      `invalid_config: secret.server.tls: the pair of ${certFile} and ${certFile} cannot be served with: its certificate and key do not belong together. ` +
        "Set certFile to a certificate in PEM and keyFile to its private key in PEM, without a passphrase",
    );
    expect(existsSync(data)).toBe(false);
  });
});
