import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import { issueCertificate } from "@flyte-secrets/certificates";
import { UNFIT_PAIRS } from "@flyte-secrets/certificates/testing";
import { loadConfig } from "@flyte-secrets/config";
import { listen } from "@flyte-secrets/http";
import type { KubeClient } from "@flyte-secrets/kube";
import { type KubeSecret, SECRETS } from "@flyte-secrets/kube";
import { createMemoryApi } from "@flyte-secrets/kube/testing";
import pino from "pino";
import { expect, onTestFinished, test } from "vitest";
import { openServiceCertificate } from "./service-certificate.ts";

const log = pino({ level: "silent" });
const NAMES = "flyte-secrets-service,flyte-secrets-service.flyte.svc";
const secretWith = (flags: Record<string, string>) =>
  loadConfig({ files: [], defaultFiles: [], env: {}, flags, home: "/nowhere", cwd: "/" }).secret;
const SELF_MADE = { "secret.server.tls.secretName": "tls", "secret.server.allowedHosts": NAMES };

/** What a server shows to who knows this CA and calls it by this name. */
async function shown(port: number, ca: string): Promise<PeerCertificate> {
  const socket = connect({ port, host: "127.0.0.1", ca, servername: "flyte-secrets-service.flyte.svc" });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

test("a service serves with a certificate that it keeps in a Secret, which is no CA, and with its successor", async () => {
  const api = createMemoryApi();
  const home = { client: api.client as KubeClient, namespace: "flyte" };
  const certificate = await openServiceCertificate(secretWith(SELF_MADE), { home, log });
  if (certificate === undefined) throw new Error("there is a certificate");
  onTestFinished(() => certificate.close());
  const handler = () => {};
  const listener = await listen({ handler, host: "127.0.0.1", port: 0, tls: certificate.current() });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  const kept = async () => {
    const secret = await api.client.get<KubeSecret>(SECRETS, { namespace: "flyte", name: "tls" });
    return Buffer.from(secret?.data?.["ca.crt"] ?? "", "base64").toString();
  };
  const ca = await kept();
  const first = await shown(listener.port, ca);
  expect(first.subjectaltname).toBe("DNS:flyte-secrets-service, DNS:flyte-secrets-service.flyte.svc");
  expect(first.ca).toBe(false);

  // Another replica that starts finds it, and makes none.
  const other = await openServiceCertificate(secretWith(SELF_MADE), { home, log });
  onTestFinished(async () => void (await other?.close()));
  expect(other?.current()).toEqual(certificate.current());

  const next = await openServiceCertificate(secretWith(SELF_MADE), {
    home: { ...home, namespace: "another" },
    log,
  });
  onTestFinished(async () => void (await next?.close()));
  if (next) listener.replaceCertificate(next.current());
  await expect(shown(listener.port, ca)).rejects.toThrow();
});

const make = () => issueCertificate({ names: NAMES.split(","), now: Date.now() });

test.each(UNFIT_PAIRS)("files with %s are refused at the start", async (_, spoil, fault) => {
  const [one, other] = [await make(), await make()];
  const directory = mkdtempSync(join(tmpdir(), "service-certificate-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const { cert, key } = { ...one, ...spoil(one, other) };
  const files = { certFile: join(directory, "a.crt"), keyFile: join(directory, "a.key") };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
  const settings = { "secret.server.tls.certFile": files.certFile, "secret.server.tls.keyFile": files.keyFile };
  await expect(openServiceCertificate(secretWith(settings), { home: undefined, log })).rejects.toThrow(
    `secret.server.tls: the pair of ${files.certFile} and ${files.keyFile} cannot be served with: ${fault}`,
  );
});

test("without files and Secret it is plain HTTP", async () => {
  expect(await openServiceCertificate(secretWith({}), { home: undefined, log })).toBeUndefined();
});

test.each([
  [
    "a cluster",
    SELF_MADE,
    undefined,
    "secret.server.tls.secretName keeps the certificate in a cluster, and there is none here",
  ],
  [
    "names",
    { ...SELF_MADE, "secret.server.allowedHosts": "" },
    {},
    "secret.server.tls.secretName needs secret.server.allowedHosts",
  ],
])("a Secret without %s is an error that says what to set", async (_, flags, where, message) => {
  const home = where && { client: createMemoryApi().client as KubeClient, namespace: "flyte" };
  await expect(openServiceCertificate(secretWith(flags), { home, log })).rejects.toThrow(message);
});
