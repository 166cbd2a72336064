import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSharedToken, type SharedTokenOptions } from "./shared-token.ts";
import { createMemoryApi } from "./testing/memory-api.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-invalidation-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = ({ file = "", secretName = "", home }: Partial<SharedTokenOptions>) =>
  openSharedToken({ file, secretName, home, settings: { file: "a.tokenFile", secretName: "a.tokenSecret" } });

test("service and webhook that start at once find one token in the Secret, of 256 bits in letters that a header can have", async () => {
  const { client, writes } = createMemoryApi();
  const options = { secretName: "token", home: { client, namespace: "flyte" } };
  const [service, webhook] = await Promise.all([open(options), open(options)]);
  expect(service).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(webhook).toBe(service);
  expect(writes).toHaveLength(1);
});

test("a file comes before a Secret, and nothing is written then", async () => {
  const file = join(directory, "token");
  writeFileSync(file, "0123456789abcdef012345\n");
  const { client, writes } = createMemoryApi();
  const options = { file, secretName: "token", home: { client, namespace: "flyte" } };
  expect(await open(options)).toBe("0123456789abcdef012345");
  expect(writes).toEqual([]);
});

test("a file with a token that can be guessed is an error", async () => {
  const file = join(directory, "token");
  writeFileSync(file, "a".repeat(64));
  await expect(open({ file })).rejects.toMatchObject({
    code: "invalid_config",
    message:
      `a.tokenFile: ${file} must hold a token that is hard to guess: ` +
      "one line of 22 or more letters, digits and -._~+/, at least 8 of them different",
  });
});

test("there is none without either", async () => {
  expect(await open({})).toBeUndefined();
});

test("a Secret without a cluster is an error that names what to set", async () => {
  await expect(open({ secretName: "token" })).rejects.toMatchObject({
    code: "invalid_config",
    message:
      "a.tokenSecret keeps the token in a cluster, and there is none here: " +
      "set a.tokenFile instead, or secret.kubernetes.kubeconfig",
  });
});
