import { expect, test } from "vitest";
import { createAddressCheck, isAddressRange } from "./address-ranges.ts";

test.each([
  ["10.0.0.0/8", true],
  ["10.1.2.3", true],
  ["0.0.0.0/0", true],
  ["fd00::/8", true],
  ["::1", true],
  ["10.0.0.0/33", false],
  ["fd00::/129", false],
  ["10.0.0/8", false],
  ["10.0.0.0/", false],
  ["10.0.0.0/8/8", false],
  ["service.flyte.svc", false],
  ["", false],
])("%j is an address or a range of them: %s", (text, expected) => {
  expect(isAddressRange(text)).toBe(expected);
});

test("an address is checked in whichever form the listener sees it", () => {
  const isListed = createAddressCheck(["10.0.0.0/8", "192.168.7.7", "fd00:1::/32"]);
  const seen = [
    "10.255.0.1",
    "::ffff:10.255.0.1",
    "192.168.7.7",
    "fd00:1:2::3",
    "11.0.0.1",
    "192.168.7.8",
    "fd01::1",
    "",
  ];
  expect(seen.map(isListed)).toEqual([true, true, true, true, false, false, false, false]);
  expect(createAddressCheck([])("127.0.0.1")).toBe(false);
});
