import { expect, test } from "vitest";
import { SCOPE_BINDING } from "../testing/webhook-options.ts";
import { createNamespaceNames } from "./bound-namespaces.ts";

const bindingOf = (scopeBinding: object) => ({
  ...SCOPE_BINDING,
  domains: ["development", "staging", "production"],
  ...scopeBinding,
});

const namesOf = (scopeBinding: object, namespaces: readonly string[], bound: readonly string[] = []) => {
  const namespaceLabels = { find: () => undefined, isBound: (namespace: string) => bound.includes(namespace) };
  return namespaces.map(createNamespaceNames({ binding: bindingOf(scopeBinding), namespaceLabels }));
};

test("a namespace has its name where some rule of the binding knows it", () => {
  const namespaces = ["flyte", "shop-development", "shop-test", "team-x", "team-y", "kube-system"];
  expect(namesOf({}, namespaces)).toEqual(["flyte", "shop-development", "other", "other", "other", "other"]);
  expect(namesOf({ namespaces: { "team-x": ["shop/development"] } }, ["team-x"])).toEqual(["team-x"]);
  expect(namesOf({}, ["team-y", "team-x"], ["team-y"])).toEqual(["team-y", "other"]);
  expect(namesOf({ projects: ["shop"] }, ["shop-staging", "bank-staging"])).toEqual(["shop-staging", "other"]);
  expect(namesOf({ domains: ["*"] }, ["shop-anything", "anything"])).toEqual(["shop-anything", "other"]);
  expect(namesOf({ namespaceTemplate: "" }, ["shop-development"])).toEqual(["other"]);
  expect(namesOf({ mode: "off" }, ["kube-system"])).toEqual(["kube-system"]);
});

test("what Kubernetes would not take as a namespace has no name of its own", () => {
  const forged = [`${"a".repeat(60)}-development`, "A-development", "", "a\n-development", "-development"];
  expect(namesOf({}, forged)).toEqual(forged.map(() => "other"));
  expect(namesOf({ mode: "off" }, ["x".repeat(64), "a".repeat(63)])).toEqual(["other", "a".repeat(63)]);
});

test("no more than 1,000 are told apart, those that came first for good", () => {
  const nameOf = createNamespaceNames({ binding: bindingOf({}) });
  const all = Array.from({ length: 5_000 }, (_, index) => nameOf(`p${index}-development`));
  expect(new Set(all).size).toBe(1_001);
  expect(all[999]).toBe("p999-development");
  expect(all[1_000]).toBe("other");
  expect(nameOf("p0-development")).toBe("p0-development");
});
