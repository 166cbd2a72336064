import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listSettings } from "@flyte-secrets/config";
import { expect, test } from "vitest";
import { renderConfigurationPage } from "./configuration-page.ts";

const page = readFileSync(join(import.meta.dirname, "../docs/configuration.md"), "utf8");

test("docs/configuration.md has one row for every setting, as the schema has it", () => {
  expect(page).toBe(renderConfigurationPage());
  const rows = [...page.matchAll(/^\| `([\w.-]+)` \|/gm)].map((row) => row[1]);
  expect(rows).toEqual(listSettings().map((setting) => setting.path));
});

test("every setting says what it takes and what it is for", () => {
  const silent = listSettings().filter(({ about, type, default: value }) => [about, type, value].includes(""));
  expect(silent).toEqual([]);
});
