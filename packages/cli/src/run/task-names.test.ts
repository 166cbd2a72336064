import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretValue } from "@flyte-secrets/core";
import { openEmbeddedStore } from "@flyte-secrets/store";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { describe, expect, it } from "vitest";
import { callCli } from "../testing/call-cli.ts";

function taskFile(code: string) {
  const directory = createTemporaryDirectory();
  mkdirSync(join(directory, "node_modules/@flyte-secrets"), { recursive: true });
  symlinkSync(join(import.meta.dirname, "../../../sdk"), join(directory, "node_modules/@flyte-secrets/sdk"));
  writeFileSync(join(directory, "tasks.mjs"), `import { task, workflow } from "@flyte-secrets/sdk";\n${code}\n`);
  const env = { HOME: directory, PATH: process.env.PATH ?? "" };
  const call = (...args: string[]) => callCli({ args, env, cwd: directory });
  return { directory, call };
}

describe("a name of a task that a terminal would take for something else", () => {
  const NAME = "a\n\u001b[31m\u009b1m\u202eb";

  it("is an escape in lists, messages, notes and labels", async () => {
    const name = JSON.stringify(NAME);
    const { call } = taskFile(`
      const a = task({ name: ${name}, secrets: ["k"] }, () => { throw new Error("x"); });
      const w = workflow({ name: "w" }, () => a());
      task({ name: "-rf --no-mask" }, () => 1);`);
    for (const args of [
      ["run", "tasks.mjs"],
      ["explain", "tasks.mjs"],
      ["run", "-v", "tasks.mjs", NAME],
      ["run", "-v", "tasks.mjs", "w"],
      ["run", "tasks.mjs", "x"],
      ["explain", "tasks.mjs", NAME],
      ["explain", "tasks.mjs", "w"],
    ]) {
      const { stdout, stderr } = await call(...args);
      expect(stdout + stderr).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      expect(stdout + stderr).not.toMatch(/a\n(?:\\|\p{Cc})/u);
    }
    const { stderr } = await call("run", "tasks.mjs");
    expect(stderr).toContain("run tasks.mjs $'a\\012\\033[31m\\302\\2331m\\342\\200\\256b'\n");
    expect(stderr).toContain("run tasks.mjs -- '-rf --no-mask'\n");
    expect((await call("run", "tasks.mjs", "--", "-rf --no-mask")).stdout).toBe("1\n");
  });

  it("is an escape where --verbose tells what it is given", async () => {
    const { directory, call } = taskFile(`task({ name: ${JSON.stringify(NAME)}, secrets: ["k"] }, () => 1);`);
    const store = await openEmbeddedStore({ directory: join(directory, ".flyte-secrets") });
    const id = { org: "flyte", project: "shop", domain: "development", name: "k" };
    await store.create(id, { type: "generic", value: SecretValue.fromText("a-value") });
    await store.close();
    const { stderr } = await call("run", "-v", "tasks.mjs", NAME, "-p", "shop", "-d", "development");
    expect(stderr).toContain("a\\n\\u001b[31m\\u009b1m\\u202eb: k from ");
  });
});
