/** Where a secret lives. `domain` and `project` are empty for a broader scope; a project always has a domain. */
export interface SecretScope {
  readonly org: string;
  readonly domain: string;
  readonly project: string;
}

/** A secret's identity: scope and name. */
export interface SecretId extends SecretScope {
  readonly name: string;
}

/** The narrowest part that is set (spec page 1). */
export type ScopeLevel = "project" | "domain" | "global";
