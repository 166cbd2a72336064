import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderCliPage } from "./cli-page.ts";

test("docs/cli.md has every command's help as it prints it", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/cli.md"), "utf8");
  expect(page).toBe(renderCliPage());
  const commands = [...page.matchAll(/^## flyte-secrets ?(.*)$/gm)].map(([, command]) => command);
  expect(commands).toEqual(expect.arrayContaining(["", "create secret", "get secret", "serve", "run", "keys rotate"]));
});
