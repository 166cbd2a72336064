import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "@flyte-secrets/core";
import { createManualClock } from "@flyte-secrets/testkit";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { pino } from "pino";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { hasCertificateFiles, openFilesSource } from "./files-source.ts";
import { issueCertificate, LIFETIME_MS } from "./issue-certificate.ts";
import { CA_PROPAGATION_MS } from "./rotator.ts";
import type { ServingCertificate } from "./source.ts";

const POLL_MS = 10_000;
let first: ServingCertificate;
let second: ServingCertificate;

beforeAll(async () => {
  first = await issueCertificate({ names: ["hook"], now: Date.now() });
  // Of a CA that is known already, so that it is served at once.
  const next = await issueCertificate({ names: ["hook"], now: Date.now() });
  first = { ...first, ca: first.ca + next.ca };
  second = next;
});

function write(directory: string, { cert, key, ca }: ServingCertificate): void {
  writeFileSync(join(directory, "tls.crt"), cert);
  writeFileSync(join(directory, "tls.key"), key);
  writeFileSync(join(directory, "ca.crt"), ca);
}

function openAt(directory: string) {
  const warnings: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void warnings.push(JSON.parse(line).msg) });
  const clock = createManualClock();
  const source = openFilesSource({ directory, clock, log });
  onTestFinished(() => source.close());
  return { source, clock, warnings };
}

test("files are served, and others that are written over them", async () => {
  const directory = createTemporaryDirectory();
  write(directory, first);
  expect(hasCertificateFiles(directory)).toBe(true);
  const { source, clock } = openAt(directory);
  expect(source.current()).toEqual(first);
  write(directory, second);
  await clock.advance(POLL_MS);
  expect(source.current()).toEqual(second);
});

test("a change is taken up without waiting for the next poll", async () => {
  const directory = createTemporaryDirectory();
  write(directory, first);
  const source = openFilesSource({ directory, clock: systemClock, log: pino({ level: "silent" }) });
  onTestFinished(() => source.close());
  const changed = new Promise<void>((resolve) => void source.onChange(resolve));
  const started = performance.now();
  write(directory, second);
  await changed;
  expect(source.current()).toEqual(second);
  expect(performance.now() - started).toBeLessThan(POLL_MS / 2);
});

test("the files of a volume, which the kubelet exchanges by a symbolic link, are followed", async () => {
  const directory = createTemporaryDirectory();
  for (const [folder, certificate] of [
    ["..2026_01", first],
    ["..2026_02", second],
  ] as const) {
    mkdirSync(join(directory, folder));
    write(join(directory, folder), certificate);
  }
  symlinkSync("..2026_01", join(directory, "..data"));
  for (const file of ["tls.crt", "tls.key", "ca.crt"]) symlinkSync(join("..data", file), join(directory, file));
  const { source, clock } = openAt(directory);
  expect(source.current()).toEqual(first);

  symlinkSync("..2026_02", join(directory, "..data_tmp"));
  renameSync(join(directory, "..data_tmp"), join(directory, "..data"));
  await clock.advance(POLL_MS);
  expect(source.current()).toEqual(second);
});

test("a pair that does not fit leaves the old one in use, is warned of once, and is taken up when it fits", async () => {
  const directory = createTemporaryDirectory();
  write(directory, first);
  const { source, clock, warnings } = openAt(directory);
  writeFileSync(join(directory, "tls.key"), second.key);
  await clock.advance(2 * POLL_MS);
  expect(source.current()).toEqual(first);
  writeFileSync(join(directory, "tls.crt"), second.cert.slice(0, 300));
  await clock.advance(2 * POLL_MS);
  expect(source.current()).toEqual(first);
  rmSync(join(directory, "tls.crt"));
  await clock.advance(POLL_MS);
  expect(source.current()).toEqual(first);
  write(directory, second);
  await clock.advance(POLL_MS);
  expect(source.current()).toEqual(second);
  expect(warnings.slice(0, 2)).toEqual([
    `the certificate files in ${directory} cannot be used, serving with the previous ones: its certificate and key do not belong together`,
    `the certificate files in ${directory} cannot be used, serving with the previous ones: its certificate is empty or no PEM`,
  ]);
});

test("a new CA is made known before its certificate is served", async () => {
  const directory = createTemporaryDirectory();
  write(directory, second);
  const { source, clock } = openAt(directory);
  const next = await issueCertificate({ names: ["hook"], now: Date.now() });
  write(directory, next);
  await clock.advance(POLL_MS);
  expect(source.current().cert).toBe(second.cert);
  await clock.advance(CA_PROPAGATION_MS);
  expect(source.current()).toEqual(next);
});

test("without a ca.crt the chain itself is what clients verify by", () => {
  const directory = createTemporaryDirectory();
  write(directory, first);
  const chain = first.cert + first.ca;
  writeFileSync(join(directory, "tls.crt"), chain);
  rmSync(join(directory, "ca.crt"));
  const { source } = openAt(directory);
  expect(source.current()).toEqual({ cert: chain, key: first.key, ca: chain });
});

test("a first pair that is no good is an error that names the setting", async () => {
  const directory = createTemporaryDirectory();
  expect(hasCertificateFiles(directory)).toBe(false);
  write(directory, await issueCertificate({ names: ["hook"], now: Date.now() - 2 * LIFETIME_MS }));
  expect(() => openAt(directory)).toThrow(/^webhook\.certDir: .*: it ended on /);
});
