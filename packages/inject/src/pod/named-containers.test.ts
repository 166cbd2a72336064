import { expect, it } from "vitest";
import { applyEdits } from "./apply-edits.ts";
import type { PodEdit } from "./edit.ts";
import { CONTAINERS_ANNOTATION, namedContainers } from "./named-containers.ts";
import { parsePod } from "./parse-pod.ts";
import type { Pod } from "./pod.ts";

function podNaming(containers?: string): Pod {
  return parsePod({
    metadata: { annotations: containers === undefined ? {} : { [CONTAINERS_ANNOTATION]: containers } },
    spec: { initContainers: [{ name: "setup" }], containers: [{ name: "main" }, { name: "proxy" }] },
  });
}

it("means all containers where a pod names none", () => {
  expect(namedContainers(podNaming())).toBeUndefined();
});

it("reads names of containers and init containers between commas", () => {
  expect(namedContainers(podNaming("main"))).toEqual(new Set(["main"]));
  expect(namedContainers(podNaming(" setup, main ,main"))).toEqual(new Set(["setup", "main"]));
});

it.each([
  ["mian", 'names container "mian", and the pod\'s are main, proxy, setup'],
  ["main,", 'names container "", and the pod\'s are main, proxy, setup'],
  ["", 'names container "", and the pod\'s are main, proxy, setup'],
])("refuses %j, in which there is a name that no container has", (value, message) => {
  expect(() => namedContainers(podNaming(value))).toThrow(
    expect.objectContaining({ code: "invalid_annotation", message: `annotation ${CONTAINERS_ANNOTATION} ${message}` }),
  );
});

const variable = { name: "TOKEN", value: "x" };
const mount = { name: "files", mountPath: "/etc/flyte/secrets", readOnly: true };
const edits: PodEdit[] = [
  { kind: "volume", volume: { name: "files", emptyDir: { medium: "Memory" } } },
  {
    kind: "initContainer",
    numbered: false,
    container: { name: "own", image: "i", env: [], volumeMounts: [{ name: "files", mountPath: "/etc/flyte/secrets" }] },
  },
  { kind: "mount", mount },
  { kind: "env", variable },
];

it("leaves the other containers as they are, and our own with what they need themselves", () => {
  const pod = podNaming("main");
  const edited = applyEdits(pod, edits, namedContainers(pod));
  const [, own] = edits;
  expect(edited).toEqual({
    pod: {
      ...pod,
      spec: {
        initContainers: [{ name: "setup" }, own?.kind === "initContainer" ? own.container : undefined],
        containers: [{ name: "main", env: [variable], volumeMounts: [mount] }, { name: "proxy" }],
        volumes: [{ name: "files", emptyDir: { medium: "Memory" } }],
      },
    },
    patch: [
      { op: "add", path: "/spec/volumes", value: [{ name: "files", emptyDir: { medium: "Memory" } }] },
      { op: "add", path: "/spec/containers/0/env", value: [variable] },
      { op: "add", path: "/spec/containers/0/volumeMounts", value: [mount] },
      {
        op: "add",
        path: "/spec/initContainers/-",
        value: { name: "own", image: "i", env: [], volumeMounts: [{ name: "files", mountPath: "/etc/flyte/secrets" }] },
      },
    ],
  });
  expect(applyEdits(edited.pod, edits, namedContainers(edited.pod)).patch).toEqual([]);
});

it("gives secrets to a named init container alone", () => {
  const pod = podNaming("setup");
  expect(applyEdits(pod, [{ kind: "env", variable }], namedContainers(pod)).patch).toEqual([
    { op: "add", path: "/spec/initContainers/0/env", value: [variable] },
  ]);
});
