import { expect, it, test } from "vitest";
import { nearestName } from "./nearest-name.ts";

test.each([
  ["prot", "port"],
  ["Hots", "host"],
  ["secretenvvarprefx", "secretEnvVarPrefix"],
  ["hst", "host"],
  ["clustername", "clusterName"],
])("%s is taken for %s", (typed, nearest) => {
  expect(nearestName(typed, ["host", "port", "tls", "secretEnvVarPrefix", "clusterName"])).toBe(nearest);
});

it("prefers the nearer of two near ones", () => {
  expect(nearestName("pots", ["parts", "ports"])).toBe("ports");
});

it("looks no further at a name that is too long to be near", () => {
  const before = process.threadCpuUsage();
  expect(nearestName("x".repeat(3_000_000), ["host", "port"])).toBeUndefined();
  expect(process.threadCpuUsage(before).user).toBeLessThan(500_000);
});

it("finds nothing when every name is more than two edits away, or more than one for a short name", () => {
  expect(nearestName("database", ["host", "port"])).toBeUndefined();
  expect(nearestName("abc", ["tls"])).toBeUndefined();
});
