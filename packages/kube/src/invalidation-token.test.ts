import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openInvalidationToken } from "./invalidation-token.ts";
import { createMemoryApi } from "./testing/memory-api.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-invalidation-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const settings = (file: string, secret: string) => ({
  cacheInvalidationTokenFile: file,
  cacheInvalidationTokenSecret: secret,
});

test("service and webhook that start at once find one token in the Secret, of 256 bits in letters that a header can have", async () => {
  const { client, writes } = createMemoryApi();
  const open = () => openInvalidationToken(settings("", "token"), { client, namespace: "flyte" });
  const [service, webhook] = await Promise.all([open(), open()]);
  expect(service).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(webhook).toBe(service);
  expect(writes).toHaveLength(1);
});

test("a file comes before a Secret, and nothing is written then", async () => {
  const file = join(directory, "token");
  writeFileSync(file, "0123456789abcdef012345\n");
  const { client, writes } = createMemoryApi();
  expect(await openInvalidationToken(settings(file, "token"), { client, namespace: "flyte" })).toBe(
    "0123456789abcdef012345",
  );
  expect(writes).toEqual([]);
});

test("a file with a token that can be guessed is an error", async () => {
  const file = join(directory, "token");
  writeFileSync(file, "a".repeat(64));
  await expect(openInvalidationToken(settings(file, ""), undefined)).rejects.toMatchObject({
    code: "invalid_config",
    message:
      `webhook.cacheInvalidationTokenFile: ${file} must hold a token that is hard to guess: ` +
      "one line of 22 or more letters, digits and -._~+/, at least 8 of them different",
  });
});

test("there is none without either", async () => {
  expect(await openInvalidationToken(settings("", ""), undefined)).toBeUndefined();
});

test("a Secret without a cluster is an error that names what to set", async () => {
  await expect(openInvalidationToken(settings("", "token"), undefined)).rejects.toMatchObject({
    code: "invalid_config",
    message:
      "webhook.cacheInvalidationTokenSecret keeps the token in a cluster, and there is none here: set webhook.cacheInvalidationTokenFile " +
      "instead, or secret.kubernetes.kubeconfig",
  });
});
