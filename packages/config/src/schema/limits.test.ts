import { DEFAULT_POD_LIMITS } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { refusal, useConfigDirectory } from "../testing/config-directory.ts";

const { load, loadText } = useConfigDirectory();

test("there is a setting for each limit of a pod, with its default", () => {
  expect(load().webhook.limits).toMatchObject(DEFAULT_POD_LIMITS);
});

test("a limit is a whole number of one or more, and the patch's a size", () => {
  const { limits } = loadText("webhook: { limits: { requests: '1', patchBytes: 2Mi } }").webhook;
  expect(limits).toMatchObject({ requests: 1, patchBytes: 2_097_152 });
  const refused = (limit: string) => refusal(() => loadText(`webhook: { limits: { ${limit} } }`));
  expect(["requests: 0", "keyLength: 1.5", "patchBytes: large"].map(refused)).toEqual([
    "invalid_config: config.yaml:1: webhook.limits.requests must be an integer of 1 or more",
    "invalid_config: config.yaml:1: webhook.limits.keyLength must be an integer of 1 or more",
    "invalid_config: config.yaml:1: webhook.limits.patchBytes must be a size such as 100M or 64Mi",
  ]);
});
