import { expect, test } from "vitest";
import { printManifests, readManifests } from "./read-manifests.ts";

test("texts and names that a reader of any version of YAML would take for something else are quoted", () => {
  const object = { "0o7": "0o17", yes: "no", "0444": "1e3", on: "0x1F", "~": "null" };
  const printed = printManifests([object]);
  expect(printed).toContain('"0o7": "0o17"');
  expect(readManifests(printed, "file")).toEqual([object]);
});
