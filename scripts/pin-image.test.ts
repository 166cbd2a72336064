import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { pinImage } from "./pin-image.ts";

const VALUES = readFileSync(join(import.meta.dirname, "../deploy/helm/flyte-secrets/values.yaml"), "utf8");
const digest = `sha256:${"0123456789abcdef".repeat(4)}`;

test("an image is pinned in the chart's values, again too, and nothing else changes", () => {
  const values = parse(VALUES);
  const pinned = pinImage(VALUES, digest);
  expect(parse(pinned)).toEqual({ ...values, image: { ...values.image, digest } });
  expect(pinImage(pinned, digest)).toBe(pinned);
  expect(pinned.split("\n")).toHaveLength(VALUES.split("\n").length);
});

test.each(["", "latest", "sha256:abc", `${digest}\nimage:`])("%j is no digest", (text) => {
  expect(() => pinImage(VALUES, text)).toThrow("is not a digest");
});

test("what is wrong is said in one line, without a stack", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "pin-image.ts"), "latest"]);
  expect([status, String(stderr)]).toEqual([
    1,
    'error: "latest" is not a digest: give sha256: and 64 hexadecimal digits\n',
  ]);
});
