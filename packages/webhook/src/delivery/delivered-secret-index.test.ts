import { expect, test } from "vitest";
import type { DeliveredSecret } from "./delivered-secret.ts";
import { createDeliveredSecretIndex } from "./delivered-secret-index.ts";

function secret(name: string, change: Partial<DeliveredSecret> = {}): DeliveredSecret {
  const metadata = { namespace: "one", name, uid: name, resourceVersion: "1" };
  return { ...metadata, owners: new Set(), neededUntil: 0, isNamed: false, bytes: 10, ...change };
}

test("those that no pod was seen to name are counted with their bytes, until one was or they are gone", () => {
  const known = createDeliveredSecretIndex(10);
  expect(known.countsOf("one")).toEqual({ secrets: 0, unnamed: 0, unnamedBytes: 0 });
  known.put(secret("a"));
  known.put(secret("a", { bytes: 20 }));
  known.put(secret("b"));
  known.put(secret("c", { isNamed: undefined }));
  known.put(secret("a", { namespace: "two" }));
  expect(known.countsOf("one")).toEqual({ secrets: 3, unnamed: 2, unnamedBytes: 30 });
  expect(known.countsOf()).toEqual({ secrets: 4, unnamed: 3, unnamedBytes: 40 });
  known.put(secret("b", { isNamed: true }));
  known.remove({ namespace: "one", name: "a" });
  known.remove({ namespace: "one", name: "a" });
  expect(known.countsOf("one")).toEqual({ secrets: 2, unnamed: 0, unnamedBytes: 0 });
  known.clear();
  expect(known.countsOf()).toEqual({ secrets: 0, unnamed: 0, unnamedBytes: 0 });
});

test("no more of a namespace are remembered than may be, and those that are stay up to date", () => {
  const known = createDeliveredSecretIndex(2);
  for (const name of ["a", "b", "c"]) known.put(secret(name));
  known.put(secret("a", { namespace: "two" }));
  known.put(secret("b", { resourceVersion: "2" }));
  expect(known.all().map(({ namespace, name }) => `${namespace}/${name}`)).toEqual(["one/a", "one/b", "two/a"]);
  expect(known.in("one").get("b")?.resourceVersion).toBe("2");
  known.remove({ namespace: "one", name: "a" });
  known.put(secret("c"));
  expect(known.in("one").get("c")).toEqual(secret("c"));
});
