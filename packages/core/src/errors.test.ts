import { expect, test } from "vitest";
import { ERROR_KINDS, type ErrorKind, isSecretsError, SecretsError } from "./errors.ts";

const kinds = Object.entries<ErrorKind>(ERROR_KINDS);

test("an error has its code's kind, its message and, for the log, its cause", () => {
  const cause = new Error("disk");
  const error = new SecretsError("store_full", "free space", { cause });
  expect(error).toMatchObject({ name: "SecretsError", code: "store_full", message: "free space", cause });
  expect(error.kind).toBe(ERROR_KINDS.store_full);
});

test("is told apart from others by its code", () => {
  const error = new SecretsError("not_found", "secret k not found");
  expect(isSecretsError(error)).toBe(true);
  expect(isSecretsError(error, "conflict", "not_found")).toBe(true);
  expect(isSecretsError(error, "conflict")).toBe(false);
  expect(isSecretsError(new Error("secret k not found"))).toBe(false);
});

test.each(kinds)("%s is retried by Flyte where the same call may succeed later", (_, kind) => {
  // 400 ends a task for good, so what may pass by itself must not be a 400.
  expect(kind.retryable && kind.admission === 400).toBe(false);
});

test.each(
  kinds,
)("%s is tried again by Flyte only where time mends it or we do, not where somebody has to change something", (code, kind) => {
  const tried = kind.mendedBy === "time" ? 503 : kind.mendedBy === "us" ? 500 : 400;
  // A manager or an API server refuses credentials for a moment, too, while it or we renew them. Nobody waits for a
  // call that was given up.
  const differs = code === "credentials_refused" || code === "canceled";
  expect(kind.admission).toBe(differs ? 503 : tried);
});

test.each(
  kinds,
)("%s is repeated by Flyte's clients where the same call may succeed later, and only there", (code, kind) => {
  const repeated = ["unavailable", "internal"].includes(kind.connect);
  // A fault of ours has no better word; to repeat the call does no harm.
  expect(repeated).toBe(kind.retryable || code === "internal");
});

test.each(kinds)("%s has a meaning of sentences that fit a table row", (_, kind) => {
  expect(kind.meaning).toMatch(/^[^|\n]+\.$/);
});
