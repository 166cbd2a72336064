/** Which pods may claim which scopes: `webhook.scopeBinding`. */
export interface ScopeBinding {
  /**
   * What happens to a pod with a refused claim: it is rejected, or admitted with a warning. `off`: every pod may claim
   * every scope.
   */
  readonly mode: "enforce" | "warn" | "off";
  /** The scopes that pods of a namespace may claim, as `PROJECT/DOMAIN`, where `*` stands for all. */
  readonly namespaces: Readonly<Record<string, readonly string[]>>;
  /** Whether the labels of a namespace decide what its pods may claim. */
  readonly namespaceLabels: boolean;
  /** The namespace of a project and domain, such as `{{ project }}-{{ domain }}`. */
  readonly namespaceTemplate: string;
  /**
   * The existing domains and projects, for the template. `*` stands for every domain, no project at all for every
   * project.
   */
  readonly domains: readonly string[];
  readonly projects: readonly string[];
  /** Namespaces, and users or `group:NAME`, whose pods may claim every scope. */
  readonly trustedNamespaces: readonly string[];
  readonly trustedCreators: readonly string[];
}
