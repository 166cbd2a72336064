import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { createVerifiedTokens } from "./verified-tokens.ts";

const START_MS = 1_800_000_000_000;
const START = START_MS / 1000;
const keys = {};

test("a verified token is good until its end, with the skew that is allowed", async () => {
  const clock = createManualClock(START_MS);
  const tokens = createVerifiedTokens(5_000, clock);
  expect(tokens.includes("a", keys)).toBe(false);
  tokens.add("a", keys, { expires: START + 60 });
  expect([tokens.includes("a", keys), tokens.includes("b", keys)]).toEqual([true, false]);
  await clock.advance(64_000);
  expect(tokens.includes("a", keys)).toBe(true);
  await clock.advance(1_000);
  expect(tokens.includes("a", keys)).toBe(false);
});

test("a token is not good before its time, when the clock was set back", () => {
  const tokens = createVerifiedTokens(5_000, createManualClock(START_MS));
  tokens.add("soon", keys, { expires: START + 60, notBefore: START + 5 });
  tokens.add("later", keys, { expires: START + 60, notBefore: START + 6 });
  expect([tokens.includes("soon", keys), tokens.includes("later", keys)]).toEqual([true, false]);
});

test("with other keys of the issuer every token is verified again", () => {
  const tokens = createVerifiedTokens(0, createManualClock(START_MS));
  tokens.add("a", keys, { expires: START + 60 });
  const renewed = {};
  expect(tokens.includes("a", renewed)).toBe(false);
  tokens.add("b", renewed, { expires: START + 60 });
  expect([tokens.includes("a", renewed), tokens.includes("a", keys), tokens.includes("b", renewed)]).toEqual([
    false,
    false,
    true,
  ]);
});

test("of too many tokens the oldest are forgotten", () => {
  const tokens = createVerifiedTokens(0, createManualClock(START_MS));
  for (let n = 0; n <= 4_096; n++) tokens.add(`token-${n}`, keys, { expires: START + 60 });
  expect(["token-0", "token-1", "token-4096"].map((token) => tokens.includes(token, keys))).toEqual([
    false,
    true,
    true,
  ]);
});
