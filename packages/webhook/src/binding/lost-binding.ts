import { isSecretsError } from "@flyte-secrets/core";
import type { BoundScope, NamespaceLabels } from "./namespace-labels.ts";
import { parseNamespaceTemplate } from "./namespace-template.ts";
import type { ScopeBinding } from "./scope-binding.ts";

/**
 * Whether pods of a namespace may claim no scope at all under `webhook.scopeBinding`, whatever their labels: what was
 * written for them is not needed any more. False where that isn't certain, such as for a namespace whose labels aren't
 * known now.
 */
export function createLostBindingCheck(
  binding: ScopeBinding,
  namespaceLabels: Pick<NamespaceLabels, "find"> | undefined,
): (namespace: string) => boolean {
  const template = parseNamespaceTemplate(binding.namespaceTemplate);
  const projects = new Set(binding.projects);
  const isTrusting = binding.mode !== "enforce" || binding.trustedCreators.length > 0;
  const mayBeAny = binding.domains.includes("*") || !template.isOfOne;

  function isNobodys(namespace: string): boolean {
    if (isTrusting || mayBeAny || binding.trustedNamespaces.includes(namespace)) return false;
    return !binding.domains.some((domain) => {
      const project = template.projectOf(namespace, domain);
      return project !== undefined && (projects.size === 0 || projects.has(project));
    });
  }

  return (namespace) => {
    const entry = Object.hasOwn(binding.namespaces, namespace) ? binding.namespaces[namespace] : undefined;
    if (entry !== undefined) return binding.mode === "enforce" && entry.length === 0;
    const bound = namespaceLabels && labelsOf(namespace, namespaceLabels);
    if (bound === "unknown") return false;
    return bound === undefined ? isNobodys(namespace) : binding.mode === "enforce" && !(bound.project && bound.domain);
  };
}

function labelsOf(namespace: string, labels: Pick<NamespaceLabels, "find">): BoundScope | "unknown" | undefined {
  try {
    const bound = labels.find(namespace);
    if (!(bound instanceof Promise)) return bound;
    // The watch will tell, before the next look.
    bound.catch(() => {});
    return "unknown";
  } catch (error) {
    if (isSecretsError(error)) return "unknown";
    throw error;
  }
}
