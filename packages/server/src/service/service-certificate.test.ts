import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type PeerCertificate } from "node:tls";
import pino from "pino";
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "../config/load-config.ts";
import type { KubeClient } from "../kube/kube-client.ts";
import { SECRETS, type Secret } from "../kube/kube-object.ts";
import { createMemoryApi } from "../kube/testing/memory-api.ts";
import { listen } from "../rpc/listen.ts";
import { makeCertificate } from "../webhook/certificates/make-certificate.ts";
import { listenWithCertificate, openServiceCertificate, type ServiceCertificate } from "./service-certificate.ts";

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
    const secret = await api.client.get<Secret>(SECRETS, { namespace: "flyte", name: "tls" });
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

test("a certificate that comes while the listener is opened, and one that comes later, is served", async () => {
  const [first, second, third] = await Promise.all(
    Array.from({ length: 3 }, () => makeCertificate({ names: NAMES.split(","), now: Date.now() })),
  );
  if (!(first && second && third)) throw new Error("three were made");
  let current = first;
  const listeners = new Set<() => void>();
  const change = (next: typeof first) => {
    current = next;
    for (const listener of listeners) listener();
  };
  const certificate: ServiceCertificate = {
    current() {
      const now = current;
      if (now === first) queueMicrotask(() => change(second));
      return now;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {},
  };
  const listener = await listenWithCertificate({ handler: () => {}, host: "127.0.0.1", port: 0, certificate });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  expect((await shown(listener.port, second.ca)).fingerprint256).toBe(new X509Certificate(second.cert).fingerprint256);
  change(third);
  expect((await shown(listener.port, third.ca)).fingerprint256).toBe(new X509Certificate(third.cert).fingerprint256);
  await listener.close({ graceMs: 0 });
  expect(listeners.size).toBe(0);
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
