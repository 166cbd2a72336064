import assert from "node:assert/strict";
import type { SecretEntry } from "@flyte-secrets/cli/testing";
import { SECRET_FORMATS } from "@flyte-secrets/cli/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const INVALID = ["invalid_argument"] as const;

/** The files of `import`: the first line names the format. What is read and printed again is read as the same. */
export const target: FuzzTarget = {
  seeds: [
    "env\nA=1\nexport B = 'two words' # comment\nC=\"a\\nb\"\nD=`x\ny`\n",
    'json\n{"a":"text","b":{"base64":"/w=="},"c":{"text":"{}","type":"image_pull"}}',
    "kubernetes\nkind: Secret\nmetadata: {name: s}\ndata:\n  a: YQ==\nstringData: {b: c}\n---\nkind: List\nitems: []\n",
    "kubernetes\nkind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {name: pull}\ndata: {.dockerconfigjson: e30=}\n",
    "kubernetes\nkind: Secret\nmetadata:\n  name: 9c3e75b5d6e4a3a1f9d0d2a6f5b7c8d9\n  labels: {app.kubernetes.io/managed-by: flyte}\ndata:\n  u__org__flyte__domain__d__project__p__key__k: dg==\n",
  ],
  dictionary: [
    "&a",
    "*a",
    "<<: *a",
    "!!binary",
    "!!js/function",
    "!!merge",
    "%YAML 1.1",
    "---\n",
    "...\n",
    "|\n",
    ">-\n",
    "? ",
    ": ",
    "- ",
    "kind: Secret",
    "items:",
    "data:",
    "stringData:",
    "'",
    '"',
    "`",
    "export ",
    "=",
    "#",
    "__proto__",
    '"base64"',
    '"type"',
    "image_pull",
    "\\n",
    "\r\n",
  ],
  // The YAML parser looks for keys given twice one by one: long inputs are slow, which the limits of each reader bound.
  maxBytes: 1_024,
  open: () => ({
    run(bytes) {
      const [name = "", ...lines] = textOf(bytes).split("\n");
      const format = SECRET_FORMATS.find((format) => format.name === name);
      const entries = unlessRefused(INVALID, () => format?.parse(lines.join("\n")));
      // With a scope of their own they are of Flyte's form, which nothing prints.
      if (!format || !entries || entries.some(({ scope }) => scope !== undefined)) return;
      const printed = unlessRefused(INVALID, () => format.print(entries));
      if (printed === undefined) return;
      assert.deepEqual(reveal(format.parse(printed)), reveal(entries));
    },
  }),
};

function reveal(entries: readonly SecretEntry[]) {
  return entries.map(({ name, type, value }) => `${name} ${type} ${value?.revealBase64()}`).sort();
}
