import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, onTestFinished, test } from "vitest";
import { expectedStoreValue } from "../testing/expected-store-value.ts";
import { runStoreWorker } from "../testing/run-store-worker.ts";
import { openEmbeddedStore } from "./embedded-store.ts";

const toId = (name: string) => ({ org: "flyte", domain: "development", project: "", name });

/** The last acknowledged write of each secret. */
function lastRevisions(lines: readonly string[]): Map<string, number> {
  const revisions = new Map<string, number>();
  for (const line of lines) {
    const [name = "", revision] = line.split(" ");
    if (revision !== undefined) revisions.set(name, Number(revision));
  }
  return revisions;
}

test.each([
  1, 32,
])("a process killed while it writes, %i at once, loses nothing that it acknowledged", async (lanes) => {
  const directory = createTemporaryDirectory();
  for (const prefix of ["first", "second"]) {
    const killAfterLines = 1 + Math.floor(Math.random() * 200);
    const { lines, exitCode } = await runStoreWorker({
      command: "write",
      directory,
      prefix,
      count: 100_000,
      lanes,
      killAfterLines,
    });
    expect(exitCode).toBeNull();
    const store = await openEmbeddedStore({ directory });
    for (const [name, revision] of lastRevisions(lines)) {
      const value = await store.read(toId(name));
      // The kill may have come between the next write of the same secret and its acknowledgement.
      const whole = [revision, revision + 1].some((each) => value?.equals(expectedStoreValue(name, each)));
      expect(whole, `${name} as of revision ${revision}, killed after ${killAfterLines} lines`).toBe(true);
    }
    await store.close();
  }
});

test("processes that write to one store at once lose nothing and end up in one change feed", async () => {
  const directory = createTemporaryDirectory();
  const store = await openEmbeddedStore({ directory });
  onTestFinished(() => store.close());
  const heard: string[] = [];
  onTestFinished(store.watch((change) => heard.push(change.kind === "reset" ? "reset" : change.id.name)));
  const workers = await Promise.all(
    ["a", "b"].map((prefix) => runStoreWorker({ command: "write", directory, prefix, count: 90 })),
  );
  expect(workers.map(({ lines, errors }) => [lines.length, errors])).toEqual([
    [91, ""],
    [91, ""],
  ]);
  for (const { lines } of workers) {
    for (const [name, revision] of lastRevisions(lines)) {
      expect((await store.read(toId(name)))?.equals(expectedStoreValue(name, revision))).toBe(true);
    }
  }
  // A write of this process tells all that came before it.
  await store.delete(toId("a-0"));
  expect(heard.filter((name) => name.startsWith("a"))).toEqual([...expectedFeed("a"), "a-0"]);
  expect(heard.filter((name) => name.startsWith("b"))).toEqual(expectedFeed("b"));
});

const expectedFeed = (prefix: string) => Array.from({ length: 90 }, (_, index) => `${prefix}-${Math.floor(index / 3)}`);
