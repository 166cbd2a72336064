import { dirname } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FLYTE_VERSION, flytePythonOf, requireFlyte } from "../support/flyte-python.ts";
import { describeWith } from "../support/requirement.ts";
import { followPage, type PagePlan } from "./follow-page.ts";
import { root } from "./page-blocks.ts";
import { LAPTOP_PAGES } from "./page-lists.ts";
import { openPageShell, type PageShell } from "./page-shell.ts";

/** For a hundred programs on a busy machine. */
const timeout = 900_000;

function openShell(options: { directory?: string; bare?: boolean } = {}): PageShell {
  const shell = openPageShell(options);
  onTestFinished(() => shell.close());
  return shell;
}

// It goes through Flyte's client, too.
describeWith(requireFlyte(), "README.md", () => {
  test("works as printed, from a checkout to a task with its secrets and Flyte's own client", { timeout }, async () => {
    const shell = openShell({ directory: root, bare: true });
    onTestFinished(async () => void (await shell.run("flyte-secrets serve --stop")));
    const flyteBin = dirname(flytePythonOf(FLYTE_VERSION));
    const plan: PagePlan = {
      "npm ci && npm run demo": { notRun: "that is what brought this test here, and .ci/run runs it" },
      "npm ci && npm test": { notRun: "the same" },
      "npm ci": { notRun: "the same" },
      "flyte-secrets create secret openai-key": { typed: "key-of-this-test", prints: /Created secret openai-key/ },
      "python3 -m venv .venv && . .venv/bin/activate && pip install flyte": {
        instead: `export VIRTUAL_ENV=${dirname(flyteBin)} PATH="${flyteBin}:$PATH"`,
      },
      "flyte-secrets run hello.py main --name Ada": {
        // Flyte's box breaks the line.
        prints: /Ada has a key of 16 characters, and.*\*\*\*/s,
      },
      "flyte-secrets serve --tls --detach": { prints: /^Stop: flyte-secrets serve --stop$/m },
      "flyte --config ~/.flyte-secrets/flyte.yaml create secret hf-token": {
        instead: "flyte --config ~/.flyte-secrets/flyte.yaml create secret hf-token --value token-of-this-test",
      },
    };
    await followPage("README.md", { shell, plan });
    expect((await shell.run("flyte-secrets get secret")).stdout).toContain("hf-token");
  });
});

test.each(Object.entries(LAPTOP_PAGES))("%s works as printed", { timeout }, async (page, plan) => {
  await followPage(page, { shell: openShell(), plan });
});
