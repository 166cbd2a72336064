import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createTemporaryDirectory } from "@flyte-secrets/testkit/vitest";
import { expect, it } from "vitest";
import { importOptional } from "./optional-dependency.ts";

const one = { neededBy: "otel.type file", packages: ["tracer@3"] };

it("returns what the load returns", async () => {
  expect(await importOptional(async () => 42, one)).toBe(42);
});

it("names the command that installs a package which Node does not find", async () => {
  const file = join(createTemporaryDirectory(), "module.mjs");
  await writeFile(file, 'import "@flyte-secrets/nobody-has-this";\n');
  const load = () => import(/* @vite-ignore */ pathToFileURL(file).href);
  await expect(importOptional(load, one)).rejects.toMatchObject({
    code: "invalid_config",
    message:
      "otel.type file needs a package that is not installed. Install it where flyte-secrets is installed " +
      "(with --global if flyte-secrets is): npm install tracer@3",
    cause: { code: "ERR_MODULE_NOT_FOUND" },
  });
  await expect(importOptional(load, { ...one, packages: ["tracer@3", "exporter@0.2"] })).rejects.toMatchObject({
    message:
      "otel.type file needs packages that are not installed. Install them where flyte-secrets is installed " +
      "(with --global if flyte-secrets is): npm install tracer@3 exporter@0.2",
  });
});

it("throws any other failure of the load as it is", async () => {
  const failure = new Error("the disk is full");
  await expect(importOptional(() => Promise.reject(failure), one)).rejects.toBe(failure);
});
