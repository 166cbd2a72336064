import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A new directory (0700) that goes when the test does. */
export function createTemporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "flyte-secrets-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
