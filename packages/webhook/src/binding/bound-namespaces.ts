import type { NamespaceLabels } from "./namespace-labels.ts";
import { parseNamespaceTemplate } from "./namespace-template.ts";
import type { ScopeBinding } from "./scope-binding.ts";

/** A namespace as metrics name it. */
export type NamespaceNames = (namespace: string) => string;

/** The name in metrics of all namespaces without a name of their own there. */
export const OTHER_NAMESPACE = "other";

/** How many namespaces have their own name in metrics: each is a time series for each of the other labels. */
const MAX_NAMESPACES = 1_000;

/** RFC 1123: the names that Kubernetes accepts for a namespace. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

export interface BoundNamespacesOptions {
  readonly binding: ScopeBinding;
  readonly namespaceLabels?: NamespaceLabels | undefined;
  /** Default: 1,000. */
  readonly max?: number;
}

/**
 * Creates the names of namespaces in metrics. At most `max` namespaces that a rule of `webhook.scopeBinding` covers
 * have their own names, in the order of their first pods; the rest is `other`, because whoever reaches the port can
 * invent namespaces. With `mode: off` no rule applies, and namespaces have their own names. Throws `invalid_config` for
 * a template with a placeholder that is no label.
 */
export function createNamespaceNames(options: BoundNamespacesOptions): NamespaceNames {
  const { max = MAX_NAMESPACES } = options;
  const isBound = createBoundNamespaces(options);
  const named = new Set<string>();
  return (namespace) => {
    if (named.has(namespace)) return namespace;
    if (named.size >= max || !NAMESPACE.test(namespace) || !isBound(namespace)) return OTHER_NAMESPACE;
    named.add(namespace);
    return namespace;
  };
}

function createBoundNamespaces({ binding, namespaceLabels }: BoundNamespacesOptions): (namespace: string) => boolean {
  if (binding.mode === "off") return () => true;
  const listed = new Set([...Object.keys(binding.namespaces), ...binding.trustedNamespaces]);
  const template = parseNamespaceTemplate(binding.namespaceTemplate);
  const isAnyDomain = binding.domains.includes("*");
  const isProject = (project: string) => binding.projects.length === 0 || binding.projects.includes(project);
  const isOfTemplate = (namespace: string) => {
    if (isAnyDomain) return Array.from(template.claimsOf(namespace)).some(({ project }) => isProject(project));
    return binding.domains.some((domain) => {
      const project = template.projectOf(namespace, domain);
      return project !== undefined && isProject(project);
    });
  };
  return (namespace) =>
    listed.has(namespace) || namespaceLabels?.isBound(namespace) === true || isOfTemplate(namespace);
}
