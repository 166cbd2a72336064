import { isSecretsError } from "@flyte-secrets/core";
import type { BoundScope, NamespaceLabels } from "./namespace-labels.ts";
import { parseNamespaceTemplate } from "./namespace-template.ts";
import type { ScopeBinding } from "./scope-binding.ts";

/**
 * Whether pods of a namespace may claim no scope at all under `webhook.scopeBinding`, whatever their labels, so that
 * Secrets delivered there are not needed any more. False if that is uncertain, as for a namespace with unknown labels.
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
    // The watch will have reported the namespace before the next check.
    bound.catch(() => {});
    return "unknown";
  } catch (error) {
    if (isSecretsError(error)) return "unknown";
    throw error;
  }
}
