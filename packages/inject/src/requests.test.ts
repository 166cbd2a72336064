import { toRequestAnnotations } from "@flyte-secrets/core";
import { expect, it } from "vitest";
import { parsePod } from "./pod/parse-pod.ts";
import type { Pod } from "./pod/pod.ts";
import { createRequestReader } from "./requests.ts";

function podAsking(...keys: string[]): Pod {
  const requests = keys.map((key) => ({ group: "g", groupVersion: "", key, mountRequirement: 0 as const, envVar: "" }));
  const annotations = { other: "x", ...toRequestAnnotations(requests) };
  return parsePod({ metadata: { annotations }, spec: { containers: [] } });
}

const keysOf = (requests: readonly { key: string }[]) => requests.map(({ key }) => key);

it("gives the same objects for the same annotations, whatever was read in between", () => {
  const read = createRequestReader();
  const first = read(podAsking("a", "b"));
  expect(keysOf(first)).toEqual(["a", "b"]);
  expect(keysOf(read(podAsking("a", "c")))).toEqual(["a", "c"]);
  expect(read(podAsking("a", "b"))).toBe(first);
});

it("does not take a pod for one that asks for more, for less or under other names", () => {
  const read = createRequestReader();
  read(podAsking("a", "b"));
  expect(keysOf(read(podAsking("a")))).toEqual(["a"]);
  expect(keysOf(read(podAsking("a", "b", "c")))).toEqual(["a", "b", "c"]);
  const { s0, s1 } = Object.fromEntries(
    Object.entries(podAsking("a", "b").metadata?.annotations ?? {}).map(([name, value]) => [name.slice(14), value]),
  );
  const swapped = { "flyte.secrets/s1": s0, "flyte.secrets/s0": s1 };
  expect(keysOf(read(parsePod({ metadata: { annotations: swapped }, spec: { containers: [] } })))).toEqual(["b", "a"]);
});

it("reads many that begin alike, each as it is", () => {
  const read = createRequestReader();
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 40; n++) expect(keysOf(read(podAsking("a", `b${n}`)))).toEqual(["a", `b${n}`]);
  }
});

it("has nothing to say of a pod without requests", () => {
  expect(createRequestReader()(parsePod({ spec: { containers: [] } }))).toEqual([]);
});
