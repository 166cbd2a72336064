// examples/python/README.md as it is printed, with the newest release of each SDK.
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished, test } from "vitest";
import { followPage, type PagePlan } from "../pages/follow-page.ts";
import { openPageShell } from "../pages/page-shell.ts";
import { pythonProgram, requirePython } from "../support/python-environment.ts";
import { describeWith } from "../support/requirement.ts";
import { FLYTEKITS } from "../tasks/python-sdks.ts";

const README = "examples/python/README.md";
/** With what the page runs a test and a notebook by. */
const FLYTE = {
  name: "flyte",
  version: "2.12.1",
  companions: ["pytest==9.2.0", "nbclient==0.11.0", "ipykernel==7.4.0"],
  program: "flyte",
};
const [flytekit] = FLYTEKITS;
const typed = "value-of-this-test";

/** As `source bin/activate` does. */
const activate = (python: string) => `export VIRTUAL_ENV=${join(python, "../..")} PATH=${join(python, "..")}:$PATH`;

describeWith(requirePython(FLYTE), README, () => {
  test("works as printed", { timeout: 300_000 }, async () => {
    // Python writes beside what it imports.
    const directory = await mkdtemp(join(tmpdir(), "flyte-secrets-examples-"));
    await cp(join(import.meta.dirname, "../../examples/python"), directory, { recursive: true });
    const shell = openPageShell({ directory });
    onTestFinished(async () => {
      await shell.close();
      await rm(directory, { recursive: true });
    });
    const plan: PagePlan = {
      "flyte-secrets create secret openai-key": { given: activate(pythonProgram(FLYTE, "python")), typed },
      "flyte-secrets create secret password": { typed },
      "flyte-secrets run hello.py main --name you": { prints: /Hello you, with a key of 18 characters/ },
      "flyte-secrets run group.py main": { prints: /A password of 18 characters/ },
      "flyte-secrets run account.py main": { prints: /An account with token and user/ },
      "flyte-secrets run license.py main": { prints: /A license of 100 bytes, [\da-f]{8}/ },
      "flyte-secrets run pipeline.py main --rows 3": { prints: /3 rows, and a key of 18 characters/ },
      "flyte-secrets exec --from page.py:page -- python page.py 8080": {
        instead:
          "flyte-secrets exec --from page.py:page -- sh -c " +
          "'python page.py 0 > address & until [ -s address ]; do sleep 0.1; done; " +
          'python -c "import urllib.request as r; print(r.urlopen(open(\\"address\\").read().strip()).read().decode())"; ' +
          "kill $!'",
        prints: /A key of 18 characters/,
      },
      "flyte-secrets exec --from hello.py:main -- python -m pytest test_hello.py": { prints: /1 passed/ },
      "flyte-secrets exec --from hello.py:main -- jupyter execute explore.ipynb": {},
      "flyte-secrets create secret certificate": { given: activate(flytekit?.python ?? ""), typed },
      "flyte-secrets create secret token": { typed },
      "flyte-secrets run report.py main --day monday": { prints: /Sent: monday, with a password of 18 characters/ },
      "flyte-secrets run shards.py main --shards '[1, 2, 3]'": { prints: /shard 3 with a token of 18/ },
    };
    await followPage(README, { shell, plan });
  });
});
