import { createManualClock } from "@flyte-secrets/testkit";
import { expect, test } from "vitest";
import { createWriteLimits, type WriteLimitSettings } from "./write-limits.ts";

const MEBIBYTE = 1_048_576;
const NONE = { secrets: 0, unnamed: 0, unnamedBytes: 0 };

function setUp(change: Partial<WriteLimitSettings> = {}) {
  const clock = createManualClock();
  const refused: string[] = [];
  const limits = createWriteLimits({
    settings: { maxSecrets: 4, maxUnnamed: 2, maxUnnamedBytes: MEBIBYTE, maxWritesPerMinute: 3, ...change },
    clock,
    onRefused: (setting) => refused.push(setting),
  });
  return { clock, limits, refused };
}

test.each([
  [
    "maxSecrets",
    { ...NONE, secrets: 4 },
    "Namespace team-a would have 5 Secrets that were written for pods, over webhook.writtenSecrets.maxSecrets (4). Try again when some are collected that no pod names, or set it higher.",
  ],
  [
    "maxUnnamed",
    { ...NONE, unnamed: 2 },
    "Namespace team-a would have 3 written Secrets that no pod was seen to name, over webhook.writtenSecrets.maxUnnamed (2). Pods that are refused leave them; try again when they are collected, or set it higher.",
  ],
  [
    "maxUnnamedBytes",
    { ...NONE, unnamedBytes: MEBIBYTE - 9 },
    "Namespace team-a would have 1048577 bytes in written Secrets that no pod was seen to name, over webhook.writtenSecrets.maxUnnamedBytes (1048576). Pods that are refused leave them; try again when they are collected, or set it higher.",
  ],
])("a namespace over %s gets no new Secret", (setting, counts, message) => {
  const { limits, refused } = setUp();
  expect(() => limits.countNew("team-a", counts, 10)).toThrow(
    expect.objectContaining({ code: "too_many_secrets", message }),
  );
  expect(refused).toEqual([setting]);
  // What it has is kept up all the same.
  limits.countWrite("team-a");
});

test("at each limit a namespace gets what it may have", () => {
  const { limits, refused } = setUp();
  limits.countNew("team-a", { secrets: 3, unnamed: 1, unnamedBytes: MEBIBYTE - 10 }, 10);
  expect(refused).toEqual([]);
});

test("more writes a minute are refused to one namespace, and no other notices", async () => {
  const { clock, limits, refused } = setUp();
  for (let write = 0; write < 3; write++) limits.countNew("team-a", NONE, 1);
  const message =
    "Namespace team-a needs more Secrets written in a minute, over webhook.writtenSecrets.maxWritesPerMinute (3). Try again in a minute, or set it higher.";
  expect(() => limits.countNew("team-a", NONE, 1)).toThrow(message);
  expect(() => limits.countWrite("team-a")).toThrow(message);
  for (let write = 0; write < 3; write++) limits.countNew("team-b", NONE, 1);
  limits.giveBack("team-a");
  limits.countWrite("team-a");
  await clock.advance(60_000);
  for (let write = 0; write < 3; write++) limits.countWrite("team-a");
  expect(refused).toEqual(["maxWritesPerMinute", "maxWritesPerMinute"]);
});
