import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeStaleOutputs } from "./remove-stale-outputs.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "flyte-secrets-outputs-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("deletes what was compiled from a file that is gone, and nothing else", () => {
  for (const folder of ["src/a", "dist/a"]) mkdirSync(join(directory, folder), { recursive: true });
  const write = (...paths: string[]) => {
    for (const path of paths) writeFileSync(join(directory, path), "");
  };
  writeFileSync(join(directory, "tsconfig.json"), '{ "compilerOptions": { "rootDir": "src", "outDir": "dist" } }');
  write("src/a/kept.ts", "dist/a/kept.js", "dist/a/kept.js.map", "dist/a/kept.d.ts", "dist/tsconfig.tsbuildinfo");
  write("src/a/gone.test.ts", "dist/a/gone.js", "dist/a/gone.js.map", "dist/a/gone.d.ts", "dist/a/gone.d.ts.map");

  const gone = ["a/gone.d.ts", "a/gone.d.ts.map", "a/gone.js", "a/gone.js.map"];
  expect(removeStaleOutputs(directory)).toEqual(gone);
  expect(readdirSync(join(directory, "dist/a")).toSorted()).toEqual(["kept.d.ts", "kept.js", "kept.js.map"]);
  expect(readdirSync(join(directory, "dist")).toSorted()).toEqual(["a", "tsconfig.tsbuildinfo"]);
});

it("does nothing before the first build", () => {
  expect(removeStaleOutputs(directory)).toEqual([]);
});
