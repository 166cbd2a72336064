import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createManualClock } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { validateCertificate } from "./chain.ts";
import { createFileStorage } from "./file-storage.ts";
import { issueCertificate } from "./issue-certificate.ts";
import { certificateNames, openCertificateSource } from "./open-source.ts";
import { CA_PROPAGATION_MS } from "./rotator.ts";
import { RECONCILE_INTERVAL_MS } from "./self-signed-source.ts";

const names = certificateNames({ name: "hook", namespace: "flyte" }, "https://[::1]:9443/mutate--v1-pod");
const log = pino({ level: "silent" });

async function open(directories: { certDir: string; home: string }, localCert: boolean) {
  const { certDir, home: directory } = directories;
  const settings = { certDir, localCert, secretName: "hook" };
  const clock = createManualClock();
  const source = await openCertificateSource({ settings, names, home: { directory }, clock, log });
  onTestFinished(() => source.close());
  return { source, clock };
}

const read = (directory: string, file: string) => readFileSync(join(directory, file), "utf8");
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

test("the names are those of the service inside its cluster, and the host of an address from outside", () => {
  expect(names).toEqual(["hook", "hook.flyte", "hook.flyte.svc", "::1"]);
  expect(certificateNames({ name: "hook", namespace: "flyte" })).toEqual(["hook", "hook.flyte", "hook.flyte.svc"]);
});

test("without a cluster the certificate is kept in a private file and found again", async () => {
  const directories = {
    certDir: join(createTemporaryDirectory(), "none"),
    home: join(createTemporaryDirectory(), "new"),
  };
  const { source } = await open(directories, false);
  expect(validateCertificate(source.current(), { names, now: Date.now() })).toBeUndefined();
  expect(readdirSync(directories.home).toSorted()).toEqual(["webhook-ca.crt", "webhook-certificate.pem"]);
  expect(mode(directories.home)).toBe("700");
  expect(mode(join(directories.home, "webhook-certificate.pem"))).toBe("600");
  expect(read(directories.home, "webhook-ca.crt")).toBe(source.current().ca);
  expect((await open(directories, false)).source.current()).toEqual(source.current());
});

test("of processes that open one directory at once all serve with one certificate", async () => {
  const directories = { certDir: "/nowhere", home: createTemporaryDirectory() };
  const opened = await Promise.all([1, 2, 3, 4].map(() => open(directories, false)));
  expect(new Set(opened.map(({ source }) => source.current().cert)).size).toBe(1);
});

test("a file that was changed by hand is put back", async () => {
  const directories = { certDir: "/nowhere", home: createTemporaryDirectory() };
  const { source, clock } = await open(directories, false);
  const path = join(directories.home, "webhook-certificate.pem");
  const before = readFileSync(path, "utf8");
  writeFileSync(path, before.slice(0, 100));
  await clock.advance(RECONCILE_INTERVAL_MS);
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(validateCertificate(source.current(), { names, now: Date.now() })).toBeUndefined();
});

test("with localCert the files are written for others, private, and again at every change", async () => {
  const directories = { certDir: join(createTemporaryDirectory(), "certs"), home: createTemporaryDirectory() };
  const { source, clock } = await open(directories, true);
  const files = () => ({
    cert: read(directories.certDir, "tls.crt"),
    key: read(directories.certDir, "tls.key"),
    ca: read(directories.certDir, "ca.crt"),
  });
  expect(files()).toEqual(source.current());
  expect(mode(directories.certDir)).toBe("700");
  expect(mode(join(directories.certDir, "tls.key"))).toBe("600");

  const next = await issueCertificate({ names, now: clock.now() });
  const kept = await createFileStorage(directories.home).read();
  expect(await kept?.replace(next)).toBe(true);
  await clock.advance(RECONCILE_INTERVAL_MS + CA_PROPAGATION_MS);
  expect(source.current().cert).toBe(next.cert);
  expect(files()).toEqual(source.current());
});

test("with localCert a directory that is open to others is closed to them, and so are files that were there", async () => {
  const certDir = join(createTemporaryDirectory(), "certs");
  mkdirSync(certDir);
  chmodSync(certDir, 0o755);
  writeFileSync(join(certDir, "tls.key"), "old", { mode: 0o644 });
  const { source } = await open({ certDir, home: createTemporaryDirectory() }, true);
  expect([mode(certDir), mode(join(certDir, "tls.key"))]).toEqual(["700", "600"]);
  expect(read(certDir, "tls.key")).toBe(source.current().key);
});

test("the files of certDir are used unless localCert says that they are ours", async () => {
  const directories = { certDir: createTemporaryDirectory(), home: createTemporaryDirectory() };
  const { cert, key, ca } = await issueCertificate({ names: ["elsewhere"], now: Date.now() });
  writeFileSync(join(directories.certDir, "tls.crt"), cert);
  writeFileSync(join(directories.certDir, "tls.key"), key);
  writeFileSync(join(directories.certDir, "ca.crt"), ca);
  expect((await open(directories, false)).source.current()).toEqual({ cert, key, ca });
  expect(readdirSync(directories.home)).toEqual([]);
  expect((await open(directories, true)).source.current().cert).not.toBe(cert);
});
