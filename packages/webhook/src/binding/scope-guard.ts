import { isSecretsError, type MaybePromise, quote, SecretsError } from "@flyte-secrets/core";
import type { Pod } from "@flyte-secrets/inject";
import { type BoundScope, DOMAIN_LABEL, type NamespaceLabels, PROJECT_LABEL } from "./namespace-labels.ts";
import { type ProjectAndDomain, parseNamespaceTemplate } from "./namespace-template.ts";
import type { ScopeBinding } from "./scope-binding.ts";

/** The user who creates a pod: `userInfo` of the admission request. */
export interface Creator {
  readonly username: string;
  readonly groups: readonly string[];
}

/** `webhook.scopeBinding`, and the organization that all secrets belong to. */
export interface ScopeGuardOptions {
  readonly binding: ScopeBinding;
  readonly organization: string;
  /** The labels of namespaces, for `scopeBinding.namespaceLabels`. Without it no namespace has any. */
  readonly namespaceLabels?: Pick<NamespaceLabels, "find">;
}

/** A pod that is being created, with its namespace and creator. */
export interface PodCreation {
  readonly pod: Pod;
  readonly namespace: string;
  readonly creator: Creator;
}

/** The rule that refused a claim; a label value of the metric. */
export type ScopeRule =
  | "organization"
  | "id"
  | "namespaces"
  | "labels"
  | "template"
  | "domains"
  | "projects"
  | "ambiguous"
  | "undecided";

/** Why a pod may not claim the scope that its labels name. */
export interface Refusal {
  readonly rule: ScopeRule;
  /**
   * `claim_refused` with the setting that would allow it, or the reason why it cannot be decided now, such as
   * `store_unavailable`.
   */
  readonly error: SecretsError;
}

/**
 * Returns why a pod may not claim the scope that its labels name; undefined when it may, or when its labels name no
 * scope. Never throws or rejects. Returns a promise only when a namespace must be read from the API server.
 */
export type ScopeGuard = (creation: PodCreation) => MaybePromise<Refusal | undefined>;

/**
 * Decides which scope a pod may claim. Whoever may create pods can write any label, so a pod's labels alone prove
 * nothing. The first rule that applies to the namespace decides: its entry in `namespaces`; its own labels; a trusted
 * namespace or creator; then the template, for projects and domains that exist. Undefined with `mode: off`: any pod may
 * claim any scope. Throws `invalid_config` for a template with a placeholder that is no label (W-7).
 */
export function createScopeGuard(options: ScopeGuardOptions): ScopeGuard | undefined {
  const { binding, organization, namespaceLabels } = options;
  if (binding.mode === "off") return undefined;
  const entries = new Map(Object.entries(binding.namespaces).map(([name, claims]) => [name, claims.map(parseClaim)]));
  const byTemplate = createTemplateRule(binding);
  const trustedNamespaces = new Set(binding.trustedNamespaces);
  const trustedCreators = new Set(binding.trustedCreators);
  const isTrusted = ({ namespace, creator: { username, groups } }: PodCreation) =>
    trustedNamespaces.has(namespace) ||
    (trustedCreators.size > 0 &&
      (trustedCreators.has(username) || groups.some((group) => trustedCreators.has(`group:${group}`))));

  function byLabels(creation: PodCreation, claim: ProjectAndDomain, bound: BoundScope | undefined) {
    if (bound === undefined) return isTrusted(creation) ? undefined : byTemplate(creation.namespace, claim);
    const { project, domain } = bound;
    if (project === claim.project && domain === claim.domain) return undefined;
    const label = (name: string, value: string | undefined) =>
      value === undefined ? `no label ${name}` : `${name}=${quote(value)}`;
    return refuse(
      "labels",
      `${mayNot(creation.namespace, claim)}: the namespace has ${label(PROJECT_LABEL, project)} and ` +
        `${label(DOMAIN_LABEL, domain)} (webhook.scopeBinding.namespaceLabels), which allows that scope only. Create the pod ` +
        "in the namespace of its project and domain, or have an administrator set these labels",
    );
  }

  return (creation) => {
    const { pod, namespace } = creation;
    const { organization: org = "", project = "", domain = "" } = pod.metadata?.labels ?? {};
    if (org === "" || project === "" || domain === "") return undefined;
    if (org !== organization) {
      return refuse(
        "organization",
        `the pod's label organization is ${quote(org)}, and all secrets are of ${quote(organization)} (secret.organization)`,
      );
    }
    const claim = { project, domain };
    const entry = entries.get(namespace);
    if (entry !== undefined) {
      return entry.some((allowed) => covers(allowed, claim)) ? undefined : refuseByEntry(namespace, claim, entry);
    }
    if (namespaceLabels === undefined) return byLabels(creation, claim, undefined);
    try {
      const bound = namespaceLabels.find(namespace);
      return bound instanceof Promise
        ? bound.then((known) => byLabels(creation, claim, known), toUndecided)
        : byLabels(creation, claim, bound);
    } catch (error) {
      return toUndecided(error);
    }
  };
}

/** The rule of the template: the project and domain exist, and no other pair leads to the same namespace. */
function createTemplateRule(binding: ScopeBinding) {
  const template = parseNamespaceTemplate(binding.namespaceTemplate);
  const domains = new Set(binding.domains);
  const projects = new Set(binding.projects);
  const isAnyDomain = domains.has("*");
  const isProject = (project: string) => projects.size === 0 || projects.has(project);

  /** Another project and domain that the template leads from to the same namespace. */
  function findNamesake(namespace: string, { domain }: ProjectAndDomain): ProjectAndDomain | undefined {
    if (isAnyDomain) {
      const claims = Array.from(template.claimsOf(namespace));
      return claims.find((other) => other.domain !== domain && isProject(other.project));
    }
    for (const other of domains) {
      const project = other === domain ? undefined : template.projectOf(namespace, other);
      if (project !== undefined && isProject(project)) return { project, domain: other };
    }
    return undefined;
  }

  return (namespace: string, claim: ProjectAndDomain): Refusal | undefined => {
    const { project, domain } = claim;
    if (!template.leadsTo(namespace, claim)) {
      const own = template.fill(claim);
      const whose =
        own === ""
          ? "which has no namespace of its own (webhook.scopeBinding.namespaceTemplate is empty): "
          : `whose own namespace is ${quote(own)} (webhook.scopeBinding.namespaceTemplate): create it there, or `;
      return refuse("template", `${mayNot(namespace, claim)}, ${whose}${addEntry(namespace, claim)}`);
    }
    if (!isAnyDomain && !domains.has(domain)) {
      const known = binding.domains.join(", ") || "none";
      return refuse(
        "domains",
        `${mayNot(namespace, claim)}: the domains that exist are ${known} (webhook.scopeBinding.domains). ` +
          `Add it to that list, or ${addEntry(namespace, claim)}`,
      );
    }
    if (!isProject(project)) {
      return refuse(
        "projects",
        `${mayNot(namespace, claim)}: webhook.scopeBinding.projects doesn't list the project. ` +
          `Add it to that list, or ${addEntry(namespace, claim)}`,
      );
    }
    const other = findNamesake(namespace, claim);
    if (other === undefined) return undefined;
    return refuse(
      "ambiguous",
      `${mayNot(namespace, claim)}: it could equally belong to project ${quote(other.project)} and domain ${quote(other.domain)} ` +
        `(webhook.scopeBinding.namespaceTemplate). To say whose it is, ${addEntry(namespace, claim)}`,
    );
  };
}

function parseClaim(text: string): ProjectAndDomain {
  const [project = "", domain = ""] = text.split("/");
  return { project, domain };
}

function covers(allowed: ProjectAndDomain, { project, domain }: ProjectAndDomain): boolean {
  return (
    (allowed.project === "*" || allowed.project === project) && (allowed.domain === "*" || allowed.domain === domain)
  );
}

function refuseByEntry(namespace: string, claim: ProjectAndDomain, entry: readonly ProjectAndDomain[]): Refusal {
  const scopes = entry.map(({ project, domain }) => `${project}/${domain}`).join(", ");
  const allowed = scopes === "" ? "nothing" : quote(scopes);
  return refuse(
    "namespaces",
    `${mayNot(namespace, claim)}: webhook.scopeBinding.namespaces allows it ${allowed}. ` +
      `If it should, add ${quote(`${claim.project}/${claim.domain}`)} to that entry`,
  );
}

function mayNot(namespace: string, { project, domain }: ProjectAndDomain): string {
  return `a pod in namespace ${quote(namespace)} may not claim project ${quote(project)} and domain ${quote(domain)}`;
}

/** The narrowest setting that would allow the claim, in YAML. */
function addEntry(namespace: string, { project, domain }: ProjectAndDomain): string {
  const entry = `{${quote(namespace)}: [${quote(`${project}/${domain}`)}]}`;
  return `have an administrator add to webhook.scopeBinding.namespaces: ${entry}`;
}

function refuse(rule: ScopeRule, message: string): Refusal {
  return { rule, error: new SecretsError("claim_refused", message) };
}

/**
 * While a namespace is unknown its claims are neither allowed nor refused; in particular, the template does not decide.
 */
function toUndecided(error: unknown): Refusal {
  if (!isSecretsError(error)) throw error;
  return { rule: "undecided", error };
}
