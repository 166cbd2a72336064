import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { joinBundles } from "./chain.ts";
import { issueCertificate, LIFETIME_MS } from "./issue-certificate.ts";
import { CA_PROPAGATION_MS, createCertificateRotator } from "./rotator.ts";

const names = ["hook"];

test("a certificate of another CA is served only after its CA has had time to become known", async () => {
  const clock = createManualClock();
  const [old, next] = await Promise.all([0, 0].map(() => issueCertificate({ names, now: clock.now() })));
  if (old === undefined || next === undefined) throw new Error("made above");
  const rotator = createCertificateRotator(old, clock);
  let changes = 0;
  rotator.onChange(() => {
    changes += 1;
  });

  rotator.rotateTo(next);
  rotator.rotateTo({ ...next });
  expect(rotator.current()).toEqual({ ...old, ca: joinBundles([next.ca, old.ca], clock.now()) });
  expect(changes).toBe(1);

  await clock.advance(CA_PROPAGATION_MS - 1);
  expect(rotator.current().cert).toBe(old.cert);
  await clock.advance(1);
  expect(rotator.current()).toEqual(next);
  expect(changes).toBe(2);
});

test("a certificate whose CA is known already is served at once", async () => {
  const clock = createManualClock();
  const old = await issueCertificate({ names, now: clock.now() });
  const next = await issueCertificate({ names, now: clock.now() });
  const rotator = createCertificateRotator({ ...old, ca: old.ca + next.ca }, clock);
  rotator.rotateTo(next);
  expect(rotator.current()).toEqual(next);
  expect(clock.timers).toBe(0);
});

test("a certificate that is about to end is not kept for another minute", async () => {
  const clock = createManualClock();
  const old = await issueCertificate({ names, now: clock.now() - LIFETIME_MS + CA_PROPAGATION_MS });
  const next = await issueCertificate({ names, now: clock.now() });
  const rotator = createCertificateRotator(old, clock);
  rotator.rotateTo(next);
  expect(rotator.current()).toEqual(next);
});

test("another bundle for the same certificate is taken at once", async () => {
  const clock = createManualClock();
  const one = await issueCertificate({ names, now: clock.now() });
  const other = await issueCertificate({ names, now: clock.now() });
  const rotator = createCertificateRotator(one, clock);
  const both = { ...one, ca: one.ca + other.ca };
  rotator.rotateTo(both);
  expect(rotator.current()).toEqual(both);
});

test("of two certificates that come shortly after each other the second is served", async () => {
  const clock = createManualClock();
  const make = () => issueCertificate({ names, now: clock.now() });
  const [first, second, third] = [await make(), await make(), await make()];
  const rotator = createCertificateRotator(first, clock);
  rotator.rotateTo(second);
  await clock.advance(CA_PROPAGATION_MS / 2);
  rotator.rotateTo(third);
  await clock.advance(CA_PROPAGATION_MS / 2);
  // The second's time has come, and its turn has not.
  expect(rotator.current().cert).toBe(first.cert);
  await clock.advance(CA_PROPAGATION_MS / 2);
  expect(rotator.current()).toEqual(third);
});

test("a closed rotator changes nothing more", async () => {
  const clock = createManualClock();
  const old = await issueCertificate({ names, now: clock.now() });
  const rotator = createCertificateRotator(old, clock);
  rotator.rotateTo(await issueCertificate({ names, now: clock.now() }));
  rotator.close();
  expect(clock.timers).toBe(0);
});
