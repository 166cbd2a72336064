import { type MaybePromise, SecretsError } from "@flyte-secrets/core";
import { expect, it } from "vitest";
import { createLostBindingCheck } from "./lost-binding.ts";
import type { BoundScope } from "./namespace-labels.ts";
import type { ScopeBinding } from "./scope-binding.ts";

const BINDING: ScopeBinding = {
  mode: "enforce",
  namespaces: {},
  namespaceLabels: false,
  namespaceTemplate: "{{ project }}-{{ domain }}",
  domains: ["development", "production"],
  projects: [],
  trustedNamespaces: ["flyte"],
  trustedCreators: [],
};

const isLost = (
  namespace: string,
  binding: Partial<ScopeBinding> = {},
  bound?: () => MaybePromise<BoundScope | undefined>,
) => createLostBindingCheck({ ...BINDING, ...binding }, bound && { find: bound })(namespace);

it.each<[string, Partial<ScopeBinding>, boolean]>([
  ["shop-production", {}, false],
  ["team-x-gpu", {}, true],
  ["monitoring-system", {}, true],
  ["flyte", {}, false],
  ["constructor", {}, true],
  ["shop-production", { projects: ["other"] }, true],
  ["shop-production", { projects: ["shop"] }, false],
  ["shop-production", { namespaces: { "shop-production": [] } }, true],
  ["shop-production", { namespaces: { "shop-production": [] }, mode: "warn" }, false],
  ["team-x-gpu", { namespaces: { "team-x-gpu": ["a/b"] } }, false],
  ["team-x-gpu", { mode: "warn" }, false],
  ["team-x-gpu", { mode: "off" }, false],
  ["team-x-gpu", { trustedCreators: ["admin"] }, false],
  ["team-x-gpu", { domains: ["*"] }, false],
  ["team-x-gpu", { namespaceTemplate: "tasks" }, false],
])("%s with %j: %s", (namespace, binding, expected) => {
  expect(isLost(namespace, binding)).toBe(expected);
});

it("goes by the labels of the namespace, and says nothing while they aren't known", () => {
  const undecided = () => {
    throw new SecretsError("store_unavailable", "silent");
  };
  expect(isLost("team-x-gpu", {}, () => ({ project: "shop", domain: "production" }))).toBe(false);
  expect(isLost("team-x-gpu", {}, () => undefined)).toBe(true);
  expect(isLost("shop-production", {}, () => ({ project: "shop", domain: undefined }))).toBe(true);
  expect(isLost("shop-production", {}, () => ({ project: "", domain: "production" }))).toBe(true);
  expect(isLost("team-x-gpu", {}, undecided)).toBe(false);
  expect(isLost("team-x-gpu", {}, () => Promise.reject(new SecretsError("claim_refused", "gone")))).toBe(false);
});
