import { request } from "node:http";
import { text } from "node:stream/consumers";
import type { SecretValue } from "@flyte-secrets/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { type EntryPageOptions, openEntryPage } from "./entry-page.ts";

const VALUE = "value-of-this-test";

/** A page, what was saved by it, and a browser's part of it. */
async function open(options: Partial<EntryPageOptions> = {}) {
  const saved: [value: string | undefined, mayReplace: boolean][] = [];
  const page = await openEntryPage({
    name: "openai-key",
    scope: "project shop, domain dev",
    place: "this machine's own store (~/.flyte-secrets)",
    agent: "an-agent",
    reason: "to train",
    exists: false,
    async save(value: SecretValue, mayReplace) {
      saved.push([value.revealText(), mayReplace]);
      return mayReplace ? "replaced" : "created";
    },
    ...options,
  });
  onTestFinished(() => page.close("declined"));
  const origin = new URL(page.url).origin;
  async function send(method: string, headers: Record<string, string> = {}, body?: string, url = page.url) {
    const sent = request(url, { method, agent: false, headers });
    sent.end(body);
    const response = await new Promise<import("node:http").IncomingMessage>((resolve, reject) => {
      sent.once("response", resolve).once("error", reject);
    });
    return { status: response.statusCode, headers: response.headers, html: await text(response) };
  }
  const visit = async () => {
    const shown = await send("GET");
    return { ...shown, cookie: shown.headers["set-cookie"]?.[0]?.split(";")[0] ?? "" };
  };
  const submit = (cookie: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
    send("POST", { cookie, origin, ...headers }, new URLSearchParams(fields).toString());
  return { page, saved, origin, send, visit, submit };
}

describe("the page for a value", () => {
  test("shows what is asked for, where and by whom, and saves the value once", async () => {
    const { page, saved, visit, submit } = await open();
    const { status, html, cookie } = await visit();
    expect(status).toBe(200);
    for (const part of [
      "openai-key",
      "project shop, domain dev",
      "this machine&#39;s own store",
      "an-agent",
      "to train",
    ]) {
      expect(html).toContain(part);
    }
    expect(html).not.toContain("checkbox");
    const answer = await submit(cookie, { value: `${VALUE}\r\n` });
    expect([answer.status, answer.html.includes(VALUE)]).toEqual([200, false]);
    expect(await page.ended).toBe("created");
    expect(saved).toEqual([[VALUE, false]]);
    await expect(submit(cookie, { value: "another" })).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("keeps the lines of a value of several", async () => {
    const { saved, visit, submit } = await open();
    const { cookie } = await visit();
    await submit(cookie, { value: "one\r\ntwo\r\n" });
    expect(saved).toEqual([["one\ntwo\n", false]]);
  });

  test("replaces a value only where the person confirms it, also one that has come meanwhile", async () => {
    const { page, visit, submit } = await open({
      save: async (_, mayReplace) => (mayReplace ? "replaced" : "exists"),
    });
    const { cookie, html } = await visit();
    expect(html).not.toContain("checkbox");
    const refused = await submit(cookie, { value: VALUE });
    expect([refused.status, refused.html.includes('type="checkbox" name="replace" value="yes" required')]).toEqual([
      409,
      true,
    ]);
    expect(refused.html).not.toContain(VALUE);
    expect((await submit(cookie, { value: VALUE, replace: "yes" })).status).toBe(200);
    expect(await page.ended).toBe("replaced");
  });

  test("goes on after an error, whose text may quote the value", async () => {
    let times = 0;
    const { page, visit, submit } = await open({
      async save(value) {
        times += 1;
        if (times === 1) throw new Error(`no place for ${value.revealText()}`);
        return "created";
      },
    });
    const { cookie } = await visit();
    const failed = await submit(cookie, { value: VALUE });
    expect([failed.status, failed.html.includes(VALUE), failed.html.includes("alert")]).toEqual([500, false, true]);
    await submit(cookie, { value: VALUE });
    expect(await page.ended).toBe("created");
  });

  test("refuses an empty value, and one that is too large, without reading all of it", async () => {
    const { saved, visit, submit } = await open();
    const { cookie } = await visit();
    expect((await submit(cookie, { value: "" })).status).toBe(422);
    expect((await submit(cookie, { other: VALUE })).status).toBe(422);
    expect(await submit(cookie, { value: "x".repeat(4 << 20) }).catch(() => ({ status: 413 }))).toMatchObject({
      status: 413,
    });
    expect(saved).toEqual([]);
  });

  test("is not there for another path, host, method, origin or browser", async () => {
    const { page, saved, origin, send, visit, submit } = await open();
    expect((await send("GET", { host: "evil.test" })).status).toBe(403);
    expect((await send("GET", {}, undefined, `${origin}/`)).status).toBe(404);
    expect((await send("GET", {}, undefined, `${page.url}x`)).status).toBe(404);
    expect((await send("HEAD")).status).toBe(405);
    expect((await send("POST", { origin }, `value=${VALUE}`)).status).toBe(403);
    const { cookie } = await visit();
    expect((await send("GET")).status).toBe(403);
    expect((await send("GET", { cookie })).status).toBe(200);
    expect((await submit("", { value: VALUE })).status).toBe(403);
    for (const other of ["http://evil.test", "null", `${origin}0`, origin.replace("127.0.0.1", "localhost")]) {
      expect((await submit(cookie, { value: VALUE }, { origin: other })).status, other).toBe(403);
    }
    expect((await send("POST", { cookie }, `value=${VALUE}`)).status).toBe(403);
    expect((await submit(cookie, { value: VALUE }, { host: "evil.test" })).status).toBe(403);
    expect(saved).toEqual([]);
  });

  test("is not kept, framed or scripted, and takes no address from elsewhere", async () => {
    const { visit } = await open();
    const { headers } = await visit();
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["set-cookie"]?.[0]).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(headers["content-security-policy"]).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
  });

  test("shows what others have chosen as text", async () => {
    const { visit } = await open({ agent: `<script>"'&`, reason: "\u001b[2J\u202e</dd>" });
    const { html } = await visit();
    expect(html).toContain("&lt;script&gt;&quot;&#39;&amp;");
    expect(html).toContain("\\u001b[2J\\u202e&lt;/dd&gt;");
  });

  test("is closed when its time is over, or nobody wants it", async () => {
    const { page: late } = await open({ lifeMs: 1 });
    expect(await late.ended).toBe("expired");
    const { page, visit } = await open();
    await page.close("declined");
    expect(await page.ended).toBe("declined");
    await expect(visit()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
