// An agent asks for a secret, and a person enters it in a real browser.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, onTestFinished, test } from "vitest";
import { type OpenPage, openPage, requireChromium } from "./support/chromium.ts";
import { describeWith } from "./support/requirement.ts";
import { runProgram } from "./support/run-program.ts";

const COMMAND = join(import.meta.dirname, "../packages/cli/bin/flyte-secrets.js");
const VALUE = "first line of a key\nand & the <second>\n";

describeWith(requireChromium(), "a secret that an agent asks for", () => {
  async function start(onPage: (page: OpenPage) => Promise<void>) {
    const home = await mkdtemp(join(tmpdir(), "flyte-secrets-agents-"));
    onTestFinished(() => rm(home, { recursive: true }));
    const env = { HOME: home, PATH: process.env.PATH ?? "" };
    const client = new Client(
      { name: "agent-of-this-test", version: "1" },
      { capabilities: { elicitation: { url: {} } } },
    );
    let failed: unknown;
    const pages: OpenPage[] = [];
    onTestFinished(async () => {
      for (const page of pages) await page.stop();
    });
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      const page = await openPage("url" in params ? params.url : "");
      pages.push(page);
      await expect
        .poll(() => page.evaluate("document.querySelector('button') !== null"), { timeout: 30_000 })
        .toBe(true);
      await onPage(page).catch((error: unknown) => {
        failed = error;
      });
      return { action: "accept" };
    });
    await client.connect(
      new StdioClientTransport({ command: process.execPath, args: [COMMAND, "mcp"], env, cwd: home }),
    );
    onTestFinished(() => client.close());
    const ask = async () => {
      const args = { name: "deploy-key", project: "shop", domain: "production", reason: "to deploy <b>now</b>" };
      const { structuredContent } = await client.callTool({ name: "request_secret", arguments: args });
      if (failed !== undefined) throw failed;
      return structuredContent;
    };
    const run = (...args: string[]) => runProgram(process.execPath, [COMMAND, ...args], { env, cwd: home });
    return { ask, run, home };
  }
  const fill = (page: OpenPage, value: string) =>
    page.evaluate(
      `document.querySelector("textarea").value = ${JSON.stringify(value)}; document.querySelector("button").click()`,
    );
  const shown = (page: OpenPage) => page.evaluate("document.body.innerText");

  test("is entered in the browser, and has the bytes that were typed", async () => {
    let before: unknown;
    const { ask, run } = await start(async (page) => {
      before = await shown(page);
      expect(await page.evaluate("document.querySelector('b') === null && location.search === ''")).toBe(true);
      await fill(page, VALUE);
      await expect.poll(() => shown(page)).toBe("The value is saved. You can close this page.");
      expect(await page.evaluate("document.documentElement.outerHTML")).not.toContain("first line");
    });
    expect(await ask()).toMatchObject({ ok: true, result: { status: "created" } });
    for (const part of [
      "deploy-key",
      "project shop, domain production",
      "agent-of-this-test",
      "to deploy <b>now</b>",
    ]) {
      expect(before).toContain(part);
    }
    const script = "process.stdout.write(Buffer.from(process.env.K).toString('hex'))";
    const scope = ["-p", "shop", "-d", "production"];
    const read = await run("exec", "--no-mask", ...scope, "-s", "deploy-key=K", "--", process.execPath, "-e", script);
    expect(Buffer.from(read.stdout, "hex").toString()).toBe(VALUE);
  });

  test("replaces another one only when the box is ticked", async () => {
    const { ask, run, home } = await start(async (page) => {
      await fill(page, VALUE);
      // The browser asks for the box first.
      expect(await page.evaluate("document.querySelector('input').matches(':invalid')")).toBe(true);
      await page.evaluate("document.querySelector('input').checked = true");
      await fill(page, VALUE);
      await expect.poll(() => shown(page)).toBe("The value is saved. You can close this page.");
    });
    await writeFile(join(home, "value"), "before");
    await run("create", "secret", "deploy-key", "-p", "shop", "-d", "production", "--from-file", join(home, "value"));
    expect(await ask()).toMatchObject({ ok: true, result: { status: "replaced" } });
  });
});
