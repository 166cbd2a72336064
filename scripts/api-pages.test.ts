import * as sdk from "@flyte-secrets/sdk";
import * as remote from "@flyte-secrets/sdk/remote";
import { expect, test } from "vitest";
import { API_PAGES } from "./api-pages.ts";

async function pageOf(name: string): Promise<string> {
  const page = API_PAGES.find(({ path }) => path === `docs/api/${name}.md`);
  return (await page?.render()) ?? "";
}

test("the SDK's reference has a section for everything that a program can import", async () => {
  for (const [name, entry] of Object.entries({ sdk, "sdk-remote": remote })) {
    const page = await pageOf(name);
    const sections = [...page.matchAll(/^## (\w+)$/gm)].map(([, section]) => section);
    expect(sections).toEqual(expect.arrayContaining(Object.keys(entry)));
    expect(new Set(sections).size, name).toBe(sections.length);
  }
});

test("a section has the comment as text and the whole declaration", async () => {
  expect(await pageOf("store")).toMatch(
    /^## ListPage\n\n(?:[A-Z].*\n\n)?```ts\ninterface ListPage \{\n( {2}.*\n)+\}\n```$/m,
  );
  expect(await pageOf("service")).toContain("```ts\nfunction secretService(");
});
