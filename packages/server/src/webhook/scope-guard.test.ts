import { parsePod } from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createScopeGuard, type ScopeGuardOptions } from "./scope-guard.ts";

const BINDING = {
  mode: "enforce",
  namespaceTemplate: "{{ project }}-{{ domain }}",
  trustedNamespaces: ["flyte"],
  trustedCreators: ["admin", "group:operators"],
} as const;

interface Claim {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly username?: string;
  readonly groups?: readonly string[];
}

const LABELS = { organization: "flyte", project: "p", domain: "d" };

function check(claim: Claim, binding: Partial<ScopeGuardOptions["binding"]> = {}): string | undefined {
  const { namespace, labels = LABELS, username = "somebody", groups = ["system:authenticated"] } = claim;
  const guard = createScopeGuard({
    binding: { ...BINDING, trustedNamespaces: ["flyte"], trustedCreators: [...BINDING.trustedCreators], ...binding },
    organization: "flyte",
  });
  const pod = parsePod({ metadata: { labels }, spec: { containers: [] } });
  return guard({ pod, namespace, creator: { username, groups } });
}

describe("a claim holds", () => {
  it.each<[string, Claim]>([
    ["in the namespace of project and domain", { namespace: "p-d" }],
    ["in a trusted namespace", { namespace: "flyte" }],
    ["of a trusted user", { namespace: "x", username: "admin" }],
    ["of a member of a trusted group", { namespace: "x", groups: ["a", "operators"] }],
    ["that is none, for want of a label", { namespace: "x", labels: { organization: "flyte", project: "p" } }],
  ])("%s", (_, claim) => {
    expect(check(claim)).toBeUndefined();
  });

  it("wherever it is made, with the guard off", () => {
    expect(check({ namespace: "x", labels: { ...LABELS, organization: "other" } }, { mode: "off" })).toBeUndefined();
  });
});

describe("a claim is refused", () => {
  it("elsewhere, with the settings that would allow it", () => {
    expect(check({ namespace: "x" })).toBe(
      'a pod in namespace "x" may not claim project "p" and domain "d", whose own namespace is "p-d" ' +
        "(webhook.scopeBinding.namespaceTemplate): create it there, or have the namespace added to " +
        'webhook.scopeBinding.trustedNamespaces or the creator "somebody" to webhook.scopeBinding.trustedCreators',
    );
  });

  it("for another organization, whoever makes it and wherever", () => {
    const labels = { ...LABELS, organization: "other" };
    for (const claim of [{ namespace: "flyte" }, { namespace: "p-d" }, { namespace: "x", username: "admin" }]) {
      expect(check({ ...claim, labels })).toBe(
        'the pod\'s label organization is "other", and all secrets are of "flyte" (secret.organization)',
      );
    }
  });

  it.each<[string, Claim]>([
    ["a group that is called like a trusted user", { namespace: "x", groups: ["admin"] }],
    ["a user that is called like a trusted group", { namespace: "x", username: "operators" }],
    ["a namespace that only begins like the right one", { namespace: "p-d-x" }],
    ["no namespace", { namespace: "" }],
  ])("that has nothing for it but %s", (_, claim) => {
    expect(check(claim)).toContain("may not claim");
  });
});

describe("the namespace template", () => {
  it.each([
    ["{{project}}-{{domain}}", "p-d"],
    ["flyte-{{ domain }}", "flyte-d"],
    ["{{ domain }}-{{ project }}-{{ project }}", "d-p-p"],
    ["tasks", "tasks"],
  ])("%s leads to %s", (namespaceTemplate, namespace) => {
    expect(check({ namespace }, { namespaceTemplate })).toBeUndefined();
    expect(check({ namespace: "other" }, { namespaceTemplate })).toContain(`whose own namespace is "${namespace}"`);
  });

  it("takes labels as they are, whatever a replacement would make of them", () => {
    const labels = { ...LABELS, project: "$&", domain: "{{ project }}" };
    expect(check({ namespace: "$&-{{ project }}", labels })).toBeUndefined();
  });

  it("is refused with a name that no label has", () => {
    expect(() => check({ namespace: "x" }, { namespaceTemplate: "{{ team }}" })).toThrow(
      "webhook.scopeBinding.namespaceTemplate: {{ team }} is not known; write {{ project }} or {{ domain }}",
    );
  });
});
