import { describe, expect, it } from "vitest";
import { parsePod } from "./parse-pod.ts";

const container = { name: "main" };

describe("parsePod", () => {
  it("gives back the same object, with whatever else is in it", () => {
    const pod = { metadata: { labels: null, future: 1 }, spec: { containers: [container], volumes: null, future: [] } };
    expect(parsePod(pod)).toBe(pod);
  });

  it.each<[string, unknown]>([
    ["pod must be an object", []],
    ["pod must be an object", null],
    ["pod.spec must be an object", {}],
    ["pod.spec.containers must be a list", { spec: {} }],
    ["pod.spec.containers[1] must be an object", { spec: { containers: [container, null] } }],
    ["pod.spec.containers[0].name must be a string", { spec: { containers: [{}] } }],
    ["pod.spec.containers[0].env must be a list", { spec: { containers: [{ ...container, env: {} }] } }],
    [
      "pod.spec.containers[0].env[0].value must be a string",
      { spec: { containers: [{ ...container, env: [{ name: "A", value: 1 }] }] } },
    ],
    [
      "pod.spec.initContainers[0].command[0] must be a string",
      { spec: { containers: [], initContainers: [{ ...container, command: [1] }] } },
    ],
    [
      "pod.spec.volumes[0].secret.secretName must be a string",
      { spec: { containers: [], volumes: [{ name: "v", secret: { secretName: { toString: 1 } } }] } },
    ],
    [
      "pod.spec.volumes[0].projected.sources[0].secret.name must be a string",
      { spec: { containers: [], volumes: [{ name: "v", projected: { sources: [{ secret: { name: [] } }] } }] } },
    ],
    [
      "pod.spec.volumes[0].secret.items[0].path must be a string",
      { spec: { containers: [], volumes: [{ name: "v", secret: { items: [{ key: "k" }] } }] } },
    ],
    [
      "pod.spec.imagePullSecrets[1].name must be a string",
      { spec: { containers: [], imagePullSecrets: [{}, { name: 1 }] } },
    ],
    [
      "pod.metadata.annotations[a] must be a string",
      { metadata: { annotations: { a: {} } }, spec: { containers: [] } },
    ],
    [
      "pod.metadata.ownerReferences[0].apiVersion must be a string",
      { metadata: { ownerReferences: [{}] }, spec: { containers: [] } },
    ],
  ])("says: %s", (message, value) => {
    expect(() => parsePod(value)).toThrow(new RegExp(`^${message.replace(/[[\]]/g, "\\$&")}$`));
  });
});
