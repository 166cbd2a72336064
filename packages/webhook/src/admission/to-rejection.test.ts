import { SecretsError } from "@flyte-secrets/core";
import { pino } from "pino";
import { expect, test } from "vitest";
import { toRejection } from "./to-rejection.ts";

test.each([
  ["namespace_not_writable", 400, "warn"],
  ["value_unreadable", 400, "warn"],
  ["store_unavailable", 503, "warn"],
  ["not_injected", 400, "info"],
  ["claim_refused", 400, "info"],
] as const)("a rejection for %s, with status %i, is a line of level %s, by who can mend it", (code, status, level) => {
  const lines: string[] = [];
  const log = pino(
    { formatters: { level: (label) => ({ level: label }) } },
    { write: (line) => void lines.push(line) },
  );
  expect(toRejection(new SecretsError(code, "why"), log)).toEqual({
    code,
    answer: { allowed: false, code: status, message: "why" },
  });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level, code, status, reason: "why", msg: "pod rejected" }),
  ]);
});
