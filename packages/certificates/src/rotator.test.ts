import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { joinBundles } from "./chain.ts";
import { LIFETIME_MS, makeCertificate } from "./make-certificate.ts";
import { createCertificateRotator, SETTLE_MS } from "./rotator.ts";

const names = ["hook"];

test("a certificate of another CA is served only after its CA has had time to become known", async () => {
  const clock = createManualClock();
  const [old, next] = await Promise.all([0, 0].map(() => makeCertificate({ names, now: clock.now() })));
  if (old === undefined || next === undefined) throw new Error("made above");
  const holder = createCertificateRotator(old, clock);
  let changes = 0;
  holder.onChange(() => {
    changes += 1;
  });

  holder.adopt(next);
  holder.adopt({ ...next });
  expect(holder.current()).toEqual({ ...old, ca: joinBundles([next.ca, old.ca], clock.now()) });
  expect(changes).toBe(1);

  await clock.advance(SETTLE_MS - 1);
  expect(holder.current().cert).toBe(old.cert);
  await clock.advance(1);
  expect(holder.current()).toEqual(next);
  expect(changes).toBe(2);
});

test("a certificate whose CA is known already is served at once", async () => {
  const clock = createManualClock();
  const old = await makeCertificate({ names, now: clock.now() });
  const next = await makeCertificate({ names, now: clock.now() });
  const holder = createCertificateRotator({ ...old, ca: old.ca + next.ca }, clock);
  holder.adopt(next);
  expect(holder.current()).toEqual(next);
  expect(clock.timers).toBe(0);
});

test("a certificate that is about to end is not kept for another minute", async () => {
  const clock = createManualClock();
  const old = await makeCertificate({ names, now: clock.now() - LIFETIME_MS + SETTLE_MS });
  const next = await makeCertificate({ names, now: clock.now() });
  const holder = createCertificateRotator(old, clock);
  holder.adopt(next);
  expect(holder.current()).toEqual(next);
});

test("another bundle for the same certificate is taken at once", async () => {
  const clock = createManualClock();
  const one = await makeCertificate({ names, now: clock.now() });
  const other = await makeCertificate({ names, now: clock.now() });
  const holder = createCertificateRotator(one, clock);
  const both = { ...one, ca: one.ca + other.ca };
  holder.adopt(both);
  expect(holder.current()).toEqual(both);
});

test("of two certificates that come shortly after each other the second is served", async () => {
  const clock = createManualClock();
  const make = () => makeCertificate({ names, now: clock.now() });
  const [first, second, third] = [await make(), await make(), await make()];
  const holder = createCertificateRotator(first, clock);
  holder.adopt(second);
  await clock.advance(SETTLE_MS / 2);
  holder.adopt(third);
  await clock.advance(SETTLE_MS / 2);
  // The second's time has come, and its turn has not.
  expect(holder.current().cert).toBe(first.cert);
  await clock.advance(SETTLE_MS / 2);
  expect(holder.current()).toEqual(third);
});

test("a closed holder changes nothing more", async () => {
  const clock = createManualClock();
  const old = await makeCertificate({ names, now: clock.now() });
  const holder = createCertificateRotator(old, clock);
  holder.adopt(await makeCertificate({ names, now: clock.now() }));
  holder.close();
  expect(clock.timers).toBe(0);
});
