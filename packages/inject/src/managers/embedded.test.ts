import { type LookupResult, lookupIds, type ScopeLookup, type SecretRequest, SecretValue } from "@flyte-secrets/core";
import { expect, test } from "vitest";
import { createEmbeddedInjector } from "./embedded.ts";
import type { Injection, VariableNaming } from "./injector.ts";

const REQUEST: SecretRequest = { group: "", groupVersion: "", key: "k", mountRequirement: 0, envVar: "" };
const RAW: VariableNaming = { prefix: "_UNION_", style: "raw" };
const VALUE = SecretValue.fromText("v");

interface Pod {
  readonly namespace: string;
  readonly project?: string;
  readonly variables?: VariableNaming;
  readonly request?: SecretRequest;
}

/** One injector over managed Secrets of namespace `values`, of which each has the same value. */
function setUp() {
  const results = new Map<string, LookupResult>();
  const lookup: ScopeLookup = {
    find(scope, key) {
      const [narrowest] = lookupIds(scope, key);
      if (!narrowest) return { found: false, attempts: [] };
      const text = JSON.stringify(narrowest);
      const result = { found: true, ...narrowest, value: VALUE, namespace: "values", attempts: [] } as const;
      const known = results.get(text) ?? result;
      results.set(text, known);
      return known;
    },
  };
  const injector = createEmbeddedInjector({ lookup });
  return ({ namespace, project = "p", variables = RAW, request = REQUEST }: Pod): Injection => {
    const labels = { organization: "flyte", domain: "d", project };
    const injection = injector.inject(request, { labels, namespace, variables });
    if (injection instanceof Promise) throw new Error("what is known needs no promise");
    return injection;
  };
}

const locationsOf = (injection: Injection) =>
  injection.injected
    ? injection.edits.flatMap((edit) =>
        edit.kind === "secretVariable" && edit.source.kind === "value" ? [edit.source.location?.name] : [],
      )
    : [];

test("the same request for the same value has the same injection", () => {
  const inject = setUp();
  for (const namespace of ["elsewhere", "values"]) {
    const edits = () => {
      const injection = inject({ namespace });
      return injection.injected ? injection.edits : [];
    };
    expect(edits()).not.toEqual([]);
    expect(edits()).toBe(edits());
  }
});

test.each([
  ["values", "p-d"],
  ["p-d", "values"],
])("what was made for a pod in %s does not serve one in %s: only where the managed Secret lies is it referred to", (...order) => {
  const inject = setUp();
  const locations = order.map((namespace) => [namespace, locationsOf(inject({ namespace }))]);
  expect(Object.fromEntries(locations)).toEqual({ values: [expect.any(String)], "p-d": [undefined] });
});

test("the same value at another scope, with another naming or for another request has its own", () => {
  const inject = setUp();
  const shown = (pod: Partial<Pod>) => JSON.stringify(inject({ namespace: "a", ...pod }));
  const first = shown({});
  expect(first).toContain("_UNION_K");
  expect(shown({ variables: { prefix: "OTHER_", style: "raw" } })).toContain("OTHER_K");
  expect(shown({})).toBe(first);
  expect(shown({ project: "other" })).toContain('"project":"other"');
  expect(shown({})).toBe(first);
  expect(shown({ request: { ...REQUEST, envVar: "MINE" } })).toContain("MINE");
});
