/** Which pods may claim which scopes: `webhook.scopeBinding`. */
export interface ScopeBinding {
  /** What becomes of a claim that doesn't hold: the pod is rejected or warned. `off`: any pod may claim any scope. */
  readonly mode: "enforce" | "warn" | "off";
  /** What pods of a namespace may claim, as `PROJECT/DOMAIN`, where `*` is any. */
  readonly namespaces: Readonly<Record<string, readonly string[]>>;
  /** Whether the labels of a namespace say what its pods may claim. */
  readonly namespaceLabels: boolean;
  /** The namespace that a project and domain lead to, such as `{{ project }}-{{ domain }}`. */
  readonly namespaceTemplate: string;
  /** The domains and projects that exist, for the template. `*` is any domain; no project at all is any project. */
  readonly domains: readonly string[];
  readonly projects: readonly string[];
  /** Whose pods may claim any scope: namespaces, and users or `group:NAME`. */
  readonly trustedNamespaces: readonly string[];
  readonly trustedCreators: readonly string[];
}
