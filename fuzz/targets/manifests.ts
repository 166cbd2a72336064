import assert from "node:assert/strict";
import { podsInObject, printManifests, readManifests } from "@flyte-secrets/cli/testing";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const INVALID = ["invalid_argument"] as const;

/** The manifests that `mutate` and `explain` read; what is printed is read as the same. */
export const target: FuzzTarget = {
  seeds: [
    "kind: Pod\nmetadata: {name: p, namespace: n, annotations: {a: b}}\nspec:\n  containers:\n  - name: c\n",
    "kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: c, env: [{name: A, value: 0444}]}]}}}}}\n---\nkind: List\nitems:\n- {kind: X}\n",
    '{"kind":"Deployment","spec":{"template":{"spec":{"containers":[]}}}}',
    "a: &a {x: yes}\nb: {<<: *a}\nc: *a\n",
  ],
  dictionary: [
    "kind: ",
    "Pod",
    "template:",
    "spec:",
    "containers:",
    "&a",
    "*a",
    "<<: *a",
    "---\n",
    "0o7",
    "0777",
    "yes",
    "0x1F",
    ".inf",
    ".nan",
    "!!str",
    "!!binary",
    "!!set",
    "!!omap",
    "? ",
    "__proto__",
    "~",
    "2001-01-01",
  ],
  // The YAML parser looks for keys given twice one by one: long inputs are slow, which the limits of each reader bound.
  maxBytes: 1_024,
  open: () => ({
    run(bytes) {
      const objects = unlessRefused(INVALID, () => readManifests(textOf(bytes), "file"));
      for (const object of objects ?? []) {
        unlessRefused(INVALID, () => podsInObject(object, "default"));
        // Only what JSON can say is a Kubernetes object.
        const json = JSON.stringify(object);
        const again = readManifests(printManifests([JSON.parse(json)]), "file");
        assert.equal(JSON.stringify(again[0] ?? null), json === "[]" ? "null" : json);
      }
    },
  }),
};
