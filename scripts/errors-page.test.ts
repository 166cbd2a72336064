import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ERROR_KINDS } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { renderErrorsPage } from "./errors-page.ts";

test("docs/errors.md has one row for every error code, as the table has it", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/errors.md"), "utf8");
  expect(page).toBe(renderErrorsPage());
  expect([...page.matchAll(/^\| `(\w+)` \|/gm)].map((row) => row[1])).toEqual(Object.keys(ERROR_KINDS));
});
