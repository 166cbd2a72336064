import { DEFAULT_POD_LIMITS } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { limitsSection } from "./limits.ts";

test("there is a setting for each limit of a pod, with its default", () => {
  expect(limitsSection.parse({})).toMatchObject(DEFAULT_POD_LIMITS);
});

test("a limit is a whole number of one or more, and the patch's a size", () => {
  expect(limitsSection.parse({ requests: "1", patchBytes: "2Mi" })).toMatchObject({
    requests: 1,
    patchBytes: 2_097_152,
  });
  const { error } = limitsSection.safeParse({ requests: 0, keyLength: 1.5, patchBytes: "large" });
  expect(error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`)).toEqual([
    "requests must be an integer of 1 or more",
    "keyLength must be an integer of 1 or more",
    "patchBytes must be a size such as 100M or 64Mi",
  ]);
});
