import { type MaybePromise, SecretsError } from "@flyte-secrets/core";
import { parsePod } from "@flyte-secrets/inject";
import { describe, expect, it } from "vitest";
import type { BoundScope } from "./namespace-labels.ts";
import { createScopeGuard, type Refusal, type ScopeGuardOptions } from "./scope-guard.ts";

const BINDING: ScopeGuardOptions["binding"] = {
  mode: "enforce",
  namespaces: {},
  namespaceLabels: false,
  namespaceTemplate: "{{ project }}-{{ domain }}",
  domains: ["development", "staging", "production"],
  projects: [],
  trustedNamespaces: ["flyte"],
  trustedCreators: ["admin", "group:operators"],
};

interface Claim {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly username?: string;
  readonly groups?: readonly string[];
}

const LABELS = { organization: "flyte", project: "shop", domain: "production" };

interface Setting {
  readonly binding?: Partial<ScopeGuardOptions["binding"]>;
  /** What the namespace's labels say. */
  readonly bound?: () => MaybePromise<BoundScope | undefined>;
}

async function refusalOf(claim: Claim, { binding, bound }: Setting = {}): Promise<Refusal | undefined> {
  const { namespace, labels = LABELS, username = "somebody", groups = ["system:authenticated"] } = claim;
  const guard = createScopeGuard({
    binding: { ...BINDING, ...binding },
    organization: "flyte",
    ...(bound && { namespaceLabels: { find: bound } }),
  });
  const pod = parsePod({ metadata: { labels }, spec: { containers: [] } });
  return await guard?.({ pod, namespace, creator: { username, groups } });
}

async function check(claim: Claim, setting?: Setting): Promise<string | undefined> {
  const refusal = await refusalOf(claim, setting);
  return refusal?.error.message;
}

const claiming = (project: string, domain: string) => ({ ...LABELS, project, domain });
const MAY_NOT = 'a pod in namespace "x" may not claim project "shop" and domain "production"';

describe("a claim holds", () => {
  it.each<[string, Claim]>([
    ["in the namespace of project and domain", { namespace: "shop-production" }],
    ["in a trusted namespace", { namespace: "flyte" }],
    ["of a trusted user", { namespace: "x", username: "admin" }],
    ["of a member of a trusted group", { namespace: "x", groups: ["a", "operators"] }],
    ["that is none, for want of a label", { namespace: "x", labels: { organization: "flyte", project: "shop" } }],
    ["that is none, for an empty label", { namespace: "x", labels: claiming("", "production") }],
    ["in a trusted namespace for a domain of another installation", { namespace: "flyte", labels: claiming("p", "d") }],
  ])("%s", async (_, claim) => {
    expect(await check(claim)).toBeUndefined();
  });

  it("wherever it is made, with the guard off", () => {
    expect(createScopeGuard({ binding: { ...BINDING, mode: "off" }, organization: "flyte" })).toBeUndefined();
  });
});

describe("a claim is refused", () => {
  it("elsewhere, with the narrow setting that would allow it", async () => {
    expect(await check({ namespace: "x" })).toBe(
      `${MAY_NOT}, whose own namespace is "shop-production" (webhook.scopeBinding.namespaceTemplate): create it there, or ` +
        'have an administrator add to webhook.scopeBinding.namespaces: {"x": ["shop/production"]}',
    );
  });

  it("for another organization, whoever makes it and wherever", async () => {
    const labels = { ...LABELS, organization: "other" };
    const binding = { namespaces: { bound: ["*/*"] } };
    for (const namespace of ["flyte", "shop-production", "bound"]) {
      expect(await check({ namespace, labels, username: "admin" }, { binding })).toBe(
        'the pod\'s label organization is "other", and all secrets are of "flyte" (secret.organization)',
      );
    }
  });

  it.each<[string, Claim]>([
    ["a group that is called like a trusted user", { namespace: "x", groups: ["admin"] }],
    ["a user that is called like a trusted group", { namespace: "x", username: "operators" }],
    ["a namespace that only begins like the right one", { namespace: "shop-production-x" }],
    ["no namespace", { namespace: "" }],
  ])("that has nothing for it but %s", async (_, claim) => {
    expect(await refusalOf(claim)).toMatchObject({ rule: "template", error: { code: "claim_refused" } });
  });

  it.each([
    ["monitoring-system", "monitoring", "system"],
    ["kube-system", "kube", "system"],
    ["foo-prod", "foo", "prod"],
    ["a-b", "a", "b"],
    ["-production", "", "production"],
    ["shop-Production", "shop", "Production"],
    ["shop-producti\u043en", "shop", "producti\u043en"],
  ])("in %s, whose name merely looks like project and domain", async (namespace, project, domain) => {
    const message = await check({ namespace, labels: claiming(project, domain) });
    // Without a project nothing is claimed at all.
    if (project === "") expect(message).toBeUndefined();
    else {
      expect(message).toBe(
        `a pod in namespace "${namespace}" may not claim project "${project}" and domain "${domain}": the domains that exist ` +
          "are development, staging, production (webhook.scopeBinding.domains). Add it to that list, or have an administrator " +
          `add to webhook.scopeBinding.namespaces: {"${namespace}": ["${project}/${domain}"]}`,
      );
    }
  });

  it("for a project that isn't among those that exist", async () => {
    const binding = { projects: ["shop"] };
    expect(await check({ namespace: "shop-production" }, { binding })).toBeUndefined();
    const labels = claiming("monitoring", "production");
    expect(await refusalOf({ namespace: "monitoring-production", labels }, { binding })).toMatchObject({
      rule: "projects",
    });
  });

  it("with foreign text cut and escaped", async () => {
    const message = await check({ namespace: "x", labels: claiming("\u001b[31m", "d".repeat(5_000)) });
    expect(message).toContain('project "\\u001b[31m"');
    expect(message?.length).toBeLessThan(1_000);
  });
});

describe("the entry of a namespace", () => {
  it.each<[string[], string, string, "holds" | "is refused"]>([
    [["shop/production"], "shop", "production", "holds"],
    [["shop/production"], "shop", "development", "is refused"],
    [["shop/production"], "victim", "production", "is refused"],
    [["shop/*"], "shop", "anything", "holds"],
    [["shop/*"], "shopper", "production", "is refused"],
    [["*/production"], "anything", "production", "holds"],
    [["*/production"], "anything", "development", "is refused"],
    [["*/*"], "a-b", "c", "holds"],
    [["a/b", "c/d"], "c", "d", "holds"],
    [["a/b", "c/d"], "a", "d", "is refused"],
    [[], "shop", "production", "is refused"],
  ])("%j: a claim of %s and %s %s", async (entry, project, domain, outcome) => {
    const refusal = await refusalOf(
      { namespace: "team-x-gpu", labels: claiming(project, domain) },
      { binding: { namespaces: { "team-x-gpu": entry } } },
    );
    expect(refusal?.rule).toBe(outcome === "holds" ? undefined : "namespaces");
  });

  it("comes before labels, template and trust", async () => {
    const binding = { namespaces: { "shop-production": ["a/b"], flyte: [] } };
    const bound = () => ({ project: "shop", domain: "production" });
    expect(await check({ namespace: "shop-production", username: "admin" }, { binding, bound })).toBe(
      'a pod in namespace "shop-production" may not claim project "shop" and domain "production": ' +
        'webhook.scopeBinding.namespaces allows it "a/b". If it should, add "shop/production" to that entry',
    );
    expect(await refusalOf({ namespace: "flyte" }, { binding, bound })).toMatchObject({ rule: "namespaces" });
  });

  it("is no property that every object has", async () => {
    expect(await refusalOf({ namespace: "constructor" })).toMatchObject({ rule: "template" });
  });
});

describe("the labels of a namespace", () => {
  it.each<[string, BoundScope | undefined, string, "holds" | "is refused"]>([
    ["both, of the claim", { project: "shop", domain: "production" }, "x", "holds"],
    ["of another project", { project: "other", domain: "production" }, "x", "is refused"],
    [
      "of another domain, in the namespace of the template",
      { project: "shop", domain: "d" },
      "shop-production",
      "is refused",
    ],
    ["of another domain, in a trusted namespace", { project: "shop", domain: "d" }, "flyte", "is refused"],
    ["the project alone", { project: "shop", domain: undefined }, "shop-production", "is refused"],
    ["the domain alone", { project: undefined, domain: "production" }, "shop-production", "is refused"],
    ["empty ones", { project: "", domain: "" }, "shop-production", "is refused"],
    ["none, in the namespace of the template", undefined, "shop-production", "holds"],
    ["none, in a trusted namespace", undefined, "flyte", "holds"],
  ])("%s: %j", async (_, bound, namespace, outcome) => {
    const refusal = await refusalOf({ namespace }, { bound: () => bound });
    expect(refusal?.rule).toBe(outcome === "holds" ? undefined : "labels");
  });

  it("leave it undecided while they aren't known, whatever the template says", async () => {
    const error = new SecretsError("store_unavailable", "the watch is silent");
    const unknown = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
    ];
    for (const bound of unknown) {
      expect(await refusalOf({ namespace: "shop-production" }, { bound })).toEqual({ rule: "undecided", error });
    }
  });

  it("are waited for, and named with what is there", async () => {
    const bound = async () => ({ project: "other", domain: undefined });
    expect(await check({ namespace: "x" }, { bound })).toBe(
      `${MAY_NOT}: the namespace has flyte.secrets/project="other" and no label flyte.secrets/domain ` +
        "(webhook.scopeBinding.namespaceLabels), which allows that scope only. Create the pod in the namespace of its project " +
        "and domain, or have an administrator set these labels",
    );
  });
});

describe("the namespace template", () => {
  it.each([
    ["{{project}}-{{domain}}", "shop-production"],
    ["flyte-{{ domain }}", "flyte-production"],
    ["{{ domain }}-{{ project }}-{{ project }}", "production-shop-shop"],
    ["tasks", "tasks"],
  ])("%s leads to %s", async (namespaceTemplate, namespace) => {
    const binding = { namespaceTemplate };
    expect(await check({ namespace }, { binding })).toBeUndefined();
    expect(await check({ namespace: "other" }, { binding })).toContain(`whose own namespace is "${namespace}"`);
  });

  it.each([
    ["{{ project }}-{{ domain }}", "a-b-c", { a: "b-c", "a-b": "c" }],
    ["{{ domain }}-{{ project }}", "c-b-a", { a: "c-b", "b-a": "c" }],
    ["t-{{ project }}{{ domain }}{{ project }}", "t-aabaa", { a: "aba", aa: "b" }],
  ])("%s decides nothing about %s, which belongs to two: %j", async (namespaceTemplate, namespace, pairs) => {
    for (const domains of [Object.values(pairs), ["*"]]) {
      for (const [project, domain] of Object.entries(pairs)) {
        const claim = { namespace, labels: claiming(project, domain) };
        const refusal = await refusalOf(claim, { binding: { namespaceTemplate, domains } });
        expect(refusal).toMatchObject({ rule: "ambiguous" });
      }
    }
  });

  it("decides about it where only one of the two projects exists", async () => {
    const binding = { domains: ["c", "b-c"], projects: ["a"] };
    expect(await check({ namespace: "a-b-c", labels: claiming("a", "b-c") }, { binding })).toBeUndefined();
    expect(await refusalOf({ namespace: "a-b-c", labels: claiming("a-b", "c") }, { binding })).toMatchObject({
      rule: "projects",
    });
  });

  it("decides about it where any domain may be, and only one project leads to it", async () => {
    const binding = { domains: ["*"], projects: ["team", "other"] };
    expect(await check({ namespace: "team-a-prod", labels: claiming("team", "a-prod") }, { binding })).toBeUndefined();
    // No project is named `team-`, and no domain `-prod`.
    const any = { binding: { domains: ["*"] } };
    expect(await check({ namespace: "team--prod", labels: claiming("team", "-prod") }, any)).toBeUndefined();
  });

  it("leads nowhere where it is empty", async () => {
    expect(await check({ namespace: "x-production" }, { binding: { namespaceTemplate: "" } })).toContain(
      ", which has no namespace of its own (webhook.scopeBinding.namespaceTemplate is empty): have an administrator add to ",
    );
  });

  it("takes any domain where that is said", async () => {
    expect(
      await check({ namespace: "p-d", labels: claiming("p", "d") }, { binding: { domains: ["*"] } }),
    ).toBeUndefined();
  });

  it("takes labels as they are, whatever a replacement would make of them", async () => {
    const labels = claiming("$&", "{{ project }}");
    expect(await check({ namespace: "$&-{{ project }}", labels }, { binding: { domains: ["*"] } })).toBeUndefined();
  });

  it("is refused with a name that no label has", () => {
    const binding = { ...BINDING, namespaceTemplate: "{{ team }}" };
    expect(() => createScopeGuard({ binding, organization: "flyte" })).toThrow(
      "webhook.scopeBinding.namespaceTemplate: {{ team }} is not known; write {{ project }} or {{ domain }}",
    );
  });
});
