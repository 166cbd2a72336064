import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listSettings } from "@flyte-secrets/config";
import { expect, test } from "vitest";
import { renderValuesSchema } from "./values-schema.ts";

interface Node {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly definitions?: Readonly<Record<string, Node>>;
}

test("the chart's values.schema.json has every setting in Flyte's places, as the configuration has it", () => {
  const file = readFileSync(join(import.meta.dirname, "../deploy/helm/flyte-secrets/values.schema.json"), "utf8");
  expect(file).toBe(renderValuesSchema());
  const schema: Node = JSON.parse(file);
  const step = (at: Node | undefined, key: string) => {
    const next = at?.properties?.[key];
    return next?.$ref === undefined ? next : schema.definitions?.[next.$ref.replace("#/definitions/", "")];
  };
  const find = (path: readonly string[]) => path.reduce<Node | undefined>(step, schema);
  const missing = listSettings().filter(
    ({ path }) => find(["configuration", "inline", ...path.split(".")]) === undefined,
  );
  expect(missing).toEqual([]);
  expect(find(["flyte-core-components", "secret", "kubernetes", "namespace"])).toBeDefined();
});
