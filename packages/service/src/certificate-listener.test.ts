import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect, type PeerCertificate } from "node:tls";
import type { ServingCertificate } from "@flyte-secrets/certificates";
import { issueCertificate } from "@flyte-secrets/certificates";
import { UNFIT_PAIRS } from "@flyte-secrets/certificates/testing";
import pino, { type Logger } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { listenWithCertificate, type ServiceCertificate } from "./certificate-listener.ts";

const log = pino({ level: "silent" });

/** What a server shows to who knows this CA and calls it by this name. */
async function shown(port: number, ca: string): Promise<PeerCertificate> {
  const socket = connect({ port, host: "127.0.0.1", ca, servername: "flyte-secrets-service.flyte.svc" });
  await once(socket, "secureConnect");
  const certificate = socket.getPeerCertificate();
  socket.destroy();
  return certificate;
}

const make = () => issueCertificate({ names: ["flyte-secrets-service.flyte.svc"], now: Date.now() });

/** A certificate that others replace. */
function changing(first: ServingCertificate, onRead = () => {}) {
  let current = first;
  const listeners = new Set<() => void>();
  const change = (next: ServingCertificate) => {
    current = next;
    for (const listener of listeners) listener();
  };
  const certificate: ServiceCertificate = {
    current() {
      onRead();
      return current;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return { certificate, change, listeners };
}

const serve = async (certificate: ServiceCertificate, logger: Logger) => {
  const listener = await listenWithCertificate({
    handler: () => {},
    host: "127.0.0.1",
    port: 0,
    certificate,
    log: logger,
  });
  onTestFinished(() => listener.close({ graceMs: 0 }));
  return listener;
};

test("a certificate that comes while the listener is opened, and one that comes later, is served", async () => {
  const [first, second, third] = [await make(), await make(), await make()];
  let isRead = false;
  const { certificate, change, listeners } = changing(first, () => {
    if (!isRead) queueMicrotask(() => change(second));
    isRead = true;
  });
  const listener = await serve(certificate, log);
  expect((await shown(listener.port, second.ca)).fingerprint256).toBe(new X509Certificate(second.cert).fingerprint256);
  change(third);
  expect((await shown(listener.port, third.ca)).fingerprint256).toBe(new X509Certificate(third.cert).fingerprint256);
  await listener.close({ graceMs: 0 });
  expect(listeners.size).toBe(0);
});

test.each(UNFIT_PAIRS)("a new pair with %s leaves the old one served, and is logged", async (_, spoil, fault) => {
  const [first, next, other] = [await make(), await make(), await make()];
  const { certificate, change } = changing(first);
  const lines: string[] = [];
  const listener = await serve(certificate, pino({}, { write: (line: string) => void lines.push(line) }));
  change({ ...next, ...spoil(next, other) });
  expect((await shown(listener.port, first.ca)).fingerprint256).toBe(new X509Certificate(first.cert).fingerprint256);
  expect(lines).toEqual([
    expect.stringContaining(`"msg":"the new certificate cannot be used, serving with the old one: ${fault}`),
  ]);
  // Such as once the second file of the pair is written.
  change(next);
  expect((await shown(listener.port, next.ca)).fingerprint256).toBe(new X509Certificate(next.cert).fingerprint256);
});

test("a new pair that does not fit and comes while the listener is opened leaves the old one served", async () => {
  const [first, next] = [await make(), await make()];
  let isRead = false;
  const { certificate, change } = changing(first, () => {
    if (!isRead) queueMicrotask(() => change({ ...next, key: first.key }));
    isRead = true;
  });
  const listener = await serve(certificate, log);
  expect((await shown(listener.port, first.ca)).fingerprint256).toBe(new X509Certificate(first.cert).fingerprint256);
});
