import assert from "node:assert/strict";
import { applyEdits, type Pod, type PodEdit, parsePod } from "@flyte-secrets/inject";
import jsonPatch from "fast-json-patch";
import { type FuzzTarget, textOf, unlessRefused } from "../target.ts";

const EDITS: readonly PodEdit[] = [
  { kind: "annotation", name: "flyte.secrets/x~y", value: "1" },
  { kind: "env", variable: { name: "A", value: "1" } },
  { kind: "volume", volume: { name: "mem", emptyDir: { medium: "Memory" } } },
  { kind: "volume", volume: { name: "sec", secret: { secretName: "s", items: [{ key: "k", path: "p" }] } } },
  {
    kind: "initContainer",
    numbered: true,
    container: {
      name: "agent-",
      image: "i",
      env: [{ name: "C", value: "3" }],
      volumeMounts: [{ name: "mem", mountPath: "/m" }],
    },
  },
  { kind: "mount", mount: { name: "mem", mountPath: "/m", readOnly: true } },
  { kind: "env", variable: { name: "B", valueFrom: { secretKeyRef: { name: "s", key: "k" } } } },
  { kind: "imagePullSecret", name: "pull" },
];

/** Every kind of edit, made on whatever pod: the patch makes the edited pod, and a second time changes nothing. */
export const target: FuzzTarget = {
  seeds: [
    '{"spec":{"containers":[{"name":"main"}]}}',
    '{"metadata":{"annotations":{"a/b":"c"}},"spec":{"containers":[{"name":"a","env":[{"name":"A","value":"0"},{"name":"B"}],"volumeMounts":[{"name":"mem","mountPath":"/m"}]}],"initContainers":[{"name":"agent-0","image":"i"}],"volumes":[{"name":"mem","emptyDir":{"medium":"Memory"}},{"name":"sec","secret":{"secretName":"s"}}],"imagePullSecrets":[{"name":"pull"},{}]}}',
    '{"metadata":null,"spec":{"containers":[],"initContainers":null,"volumes":null,"imagePullSecrets":null}}',
    '{"spec":{"containers":[{"name":"a"}],"volumes":[{"name":"sec","secret":{"secretName":"s","items":[{"key":"z","path":"z"}]}},{"name":"mem","projected":{"sources":[{"secret":{"name":"s"}}]}}]}}',
  ],
  dictionary: [
    "mem",
    "sec",
    "agent-0",
    "agent-1",
    "A",
    "B",
    "s",
    "k",
    "p",
    "/m",
    "Memory",
    "emptyDir",
    "secret",
    "items",
    "projected",
    "sources",
  ],
  open: () => ({
    run(bytes) {
      const pod = podOf(textOf(bytes));
      if (!pod) return;
      const before = JSON.stringify(pod);
      const edited = unlessRefused(["pod_conflict"], () => applyEdits(pod, EDITS));
      assert.equal(JSON.stringify(pod), before, "the pod itself was changed");
      if (!edited) return;
      const operations = structuredClone(edited.patch) as jsonPatch.Operation[];
      const patched = jsonPatch.applyPatch(JSON.parse(before), operations, true, true, false).newDocument;
      assert.deepEqual(JSON.parse(JSON.stringify(patched)), JSON.parse(JSON.stringify(edited.pod)));
      assert.deepEqual(applyEdits(edited.pod, EDITS).patch, []);
    },
  }),
};

function podOf(text: string): Pod | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return unlessRefused(["invalid_argument"], () => parsePod(json));
  } catch (error) {
    // JSON's own, which never reaches a pod.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
