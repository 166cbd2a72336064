import { expect, test } from "vitest";
import { comparePaths } from "./testing/compare-paths.ts";

/** `npm run compare-paths` sends more of them, with a new seed each time. */
const REQUESTS = 2_000;

test.each([1, 2])("generated requests are answered and logged as by the Connect library: seed %i", async (seed) => {
  const { differences, requests, ownPath } = await comparePaths({ seed, requests: REQUESTS });
  expect(differences).toEqual([]);
  expect(requests).toBe(REQUESTS);
  // The rest has something that is left to the library.
  expect(ownPath).toBeGreaterThan(REQUESTS / 3);
}, 600_000);
