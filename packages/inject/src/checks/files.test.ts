import fc from "fast-check";
import { expect, test } from "vitest";
import { nestedPairs } from "./files.ts";

const at = (...paths: string[]) =>
  nestedPairs(paths.map((path) => ({ path }))).map((pair) => pair.map(({ path }) => path));

test.each<{ paths: string[]; pairs: string[][] }>([
  { paths: [], pairs: [] },
  { paths: ["/a", "/b"], pairs: [] },
  { paths: ["/a", "/ab"], pairs: [] },
  { paths: ["/a", "/a"], pairs: [] },
  { paths: ["/a", "/a-b", "/a/b"], pairs: [["/a", "/a/b"]] },
  { paths: ["/a/b/c", "/a"], pairs: [["/a", "/a/b/c"]] },
  {
    paths: ["/a/b", "/a/c", "/a"],
    pairs: [
      ["/a", "/a/b"],
      ["/a", "/a/c"],
    ],
  },
  {
    paths: ["/a/b/c", "/a/b", "/a"],
    pairs: [
      ["/a/b", "/a/b/c"],
      ["/a", "/a/b"],
    ],
  },
])("of $paths, $pairs are one below the other", ({ paths, pairs }) => {
  expect(at(...paths)).toEqual(pairs);
});

test("a path has a pair exactly when some other path is around it, and then it is the longest of those", () => {
  const path = fc
    .array(fc.constantFrom("a", "b", "a-", "a.", "ab"), { minLength: 1, maxLength: 4 })
    .map((parts) => `/${parts.join("/")}`);
  fc.assert(
    fc.property(fc.uniqueArray(path, { maxLength: 30 }), (paths) => {
      const nearest = paths.flatMap((inner) => {
        const outer = paths.filter((one) => inner.startsWith(`${one}/`)).sort((a, b) => b.length - a.length)[0];
        return outer === undefined ? [] : [[outer, inner]];
      });
      expect(at(...paths)).toEqual(nearest);
    }),
  );
});
