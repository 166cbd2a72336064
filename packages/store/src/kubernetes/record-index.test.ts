import fc from "fast-check";
import { expect, test } from "vitest";
import type { ManagedRecord } from "./managed-record.ts";
import { RecordIndex } from "./record-index.ts";

function toObject(name: string, system = false): ManagedRecord {
  const id = { org: "flyte", domain: "", project: "", name };
  const record = { id, type: "generic", createdAt: new Date(0), system, clusters: [] } as const;
  const rest = { problem: undefined, domain: "", project: "", isOwned: false, isPlain: true };
  return { apiVersion: "v1", kind: "Secret", metadata: { name, resourceVersion: "1" }, record, ...rest };
}

const change = fc.record({ name: fc.stringMatching(/^[0-9a-f]{1,2}$/), isRemoved: fc.boolean(), system: fc.boolean() });

test("pages have every record once, in the order of names, whatever was put and removed before", () => {
  fc.assert(
    fc.property(fc.array(change), fc.integer({ min: 1, max: 5 }), fc.boolean(), (changes, limit, includeSystem) => {
      const index = new RecordIndex();
      const model = new Map<string, boolean>();
      for (const { name, isRemoved, system } of changes) {
        if (isRemoved) index.remove(name);
        else index.put(toObject(name, system));
        if (isRemoved) model.delete(name);
        else model.set(name, system);
      }
      const listed: string[] = [];
      let after: string | undefined;
      do {
        const { entries, next } = index.page({ after, limit, includeSystem });
        // A page that is not the last one is full, and the next one is not empty.
        expect(entries.length === limit || next === undefined).toBe(true);
        expect(entries.length > 0 || after === undefined).toBe(true);
        listed.push(...entries.map(({ id }) => id.name));
        after = next;
      } while (after !== undefined);
      expect(listed).toEqual([...model.keys()].filter((name) => includeSystem || !model.get(name)).toSorted());
      expect(index.isEmpty).toBe(model.size === 0);
    }),
  );
});

test("thousands of records are in order, added in order, in reverse and in between, and all can be removed", () => {
  const index = new RecordIndex();
  const names = Array.from({ length: 3_000 }, (_, at) => String(at).padStart(5, "0"));
  const inOrder = names.slice(1_000, 2_000);
  const inReverse = names.slice(0, 1_000).toReversed();
  const inBetween = names.slice(2_000).map((name, at) => names[2_000 + ((at * 7) % 1_000)] ?? name);
  for (const name of [...inOrder, ...inReverse, ...inBetween]) index.put(toObject(name));
  const all = () =>
    index.page({ after: undefined, limit: 10_000, includeSystem: false }).entries.map(({ id }) => id.name);
  expect(all()).toEqual(names);
  expect(index.page({ after: "01499", limit: 2, includeSystem: false })).toMatchObject({ next: "01501" });
  for (const name of inBetween) index.remove(name);
  expect(all()).toEqual(names.slice(0, 2_000));
  for (const name of names) index.remove(name);
  expect([all(), index.isEmpty]).toEqual([[], true]);
});

test("a page begins behind a name that has been removed meanwhile", () => {
  const index = new RecordIndex();
  for (const name of ["a", "b", "c"]) index.put(toObject(name));
  index.remove("b");
  expect(index.page({ after: "b", limit: 5, includeSystem: false }).entries.map(({ id }) => id.name)).toEqual(["c"]);
});
