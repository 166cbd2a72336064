import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { useCliHome } from "./testing/use-cli-home.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/injection.md"), "utf8");
const pod = /^```yaml\n(.*?)^```/ms.exec(page)?.[1] ?? "";
const examples = [...page.matchAll(/^```console\n\$ flyte-secrets ([^\n]*)\n(.*?)^```/gms)];

const at = useCliHome();

it("has examples", () => expect(examples).toHaveLength(5));

it.each(
  examples.map(([, command = "", output = ""]) => [command, output]),
)("docs/injection.md shows what `flyte-secrets %s` prints", async (command, output) => {
  delete at.env.WEBHOOK_SCOPEBINDING_DOMAINS;
  await at.keep({ "development/shop/api-key": "canary-1", "db-conf": "canary-2" });
  writeFileSync(join(at.home, "pod.yaml"), pod);
  const { stdout, stderr } = await at.call(...command.split(" "));
  expect(withShownNames(stdout + stderr)).toBe(output);
});

/** The names of written Secrets, which are others each time, as the page has them. */
function withShownNames(text: string): string {
  const names = [...new Set(text.match(/flyte-secrets-[0-9a-f]{32}/g))];
  const shown = ["flyte-secrets-5f1c…", "flyte-secrets-a07b…"];
  return names.reduce((changed, name, at) => changed.replaceAll(name, shown[at] ?? name), text);
}
