import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readImportGraph, sourceEntries } from "./import-graph.ts";

const ROOT = join(import.meta.dirname, "../..");

test("each entry of a package comes from a source", () => {
  const entries = sourceEntries(ROOT);
  expect(entries.get("@flyte-secrets/core")).toBe("packages/core/src/index.ts");
  expect(entries.get("@flyte-secrets/sdk/remote")).toBe("packages/sdk/src/remote.ts");
  for (const source of entries.values()) expect(existsSync(join(ROOT, source)), source).toBe(true);
});

test("a source's tests come nearest first: its own, those of its importers, those beyond", () => {
  const graph = readImportGraph(ROOT);
  const tests = graph.testsOf("packages/inject/src/checks/files.ts");
  expect(tests[0]).toBe("packages/inject/src/checks/files.test.ts");
  expect(tests).toContain("packages/inject/src/mutator.test.ts");
  expect(tests).toContain("packages/webhook/src/admission/handler.test.ts");
  expect(graph.testsOf("packages/webhook/src/admission/deadline.ts").slice(0, 1)).toEqual([
    "packages/webhook/src/admission/deadline.test.ts",
  ]);
  expect(graph.testsOf("packages/no/such.ts")).toEqual([]);
});
