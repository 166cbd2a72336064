import { SecretsError } from "@flyte-secrets/core";

/** What a pod claims by its labels. */
export interface ProjectAndDomain {
  readonly project: string;
  readonly domain: string;
}

/** `webhook.scopeBinding.namespaceTemplate`, such as `{{ project }}-{{ domain }}`. */
export interface NamespaceTemplate {
  /** The namespace that belongs to a project and domain. */
  fill(claim: ProjectAndDomain): string;
  /** Whether that is `namespace`, without joining it: nearly every pod is in the namespace it should be in. */
  leadsTo(namespace: string, claim: ProjectAndDomain): boolean;
  /**
   * The project to which `namespace` belongs in that domain. Undefined when it belongs to none, and unless {@link
   * isOfOne}.
   */
  projectOf(namespace: string, domain: string): string | undefined;
  /** The projects and domains that `namespace` could belong to; none unless {@link isOfOne}. */
  claimsOf(namespace: string): Iterable<ProjectAndDomain>;
  /** False for a template without project or without domain, in which several of them share a namespace on purpose. */
  readonly isOfOne: boolean;
}

/** A text, or the label whose value is inserted. */
interface TemplatePart {
  readonly text: string;
  readonly label: keyof ProjectAndDomain | undefined;
}

/** Parses a template. Throws `invalid_config` for a placeholder that is no label. */
export function parseNamespaceTemplate(template: string): NamespaceTemplate {
  const parts = template.split(/(\{\{.*?\}\})/).map(parsePart);
  const projects = parts.filter(({ label }) => label === "project").length;
  const domains = parts.filter(({ label }) => label === "domain").length;
  const isOfOne = projects > 0 && domains > 0;
  const fixedLength = parts.reduce((sum, { text, label }) => sum + (label === undefined ? text.length : 0), 0);
  const firstProject = parts.findIndex(({ label }) => label === "project");
  const firstDomain = parts.findIndex(({ label }) => label === "domain");
  const [beforeProject, beforeDomain] = [parts.slice(0, firstProject), parts.slice(0, firstDomain)];

  function leadsTo(namespace: string, claim: ProjectAndDomain): boolean {
    let at = 0;
    for (const part of parts) {
      const text = partText(part, claim);
      if (!namespace.startsWith(text, at)) return false;
      at += text.length;
    }
    return at === namespace.length;
  }

  function projectOf(namespace: string, domain: string): string | undefined {
    if (!isOfOne) return undefined;
    const length = (namespace.length - fixedLength - domains * domain.length) / projects;
    if (length < 1 || !Number.isInteger(length)) return undefined;
    const at = lengthOf(beforeProject, { project: "", domain });
    const project = namespace.slice(at, at + length);
    return leadsTo(namespace, { project, domain }) ? project : undefined;
  }

  return {
    fill: (claim) => parts.map((part) => partText(part, claim)).join(""),
    leadsTo,
    isOfOne,
    projectOf,
    *claimsOf(namespace) {
      for (let length = 1; isOfOne && length < namespace.length; length += 1) {
        const rest = namespace.length - fixedLength - domains * length;
        if (rest < projects || rest % projects !== 0) continue;
        const at = lengthOf(beforeDomain, { project: "x".repeat(rest / projects), domain: "" });
        const domain = namespace.slice(at, at + length);
        const project = projectOf(namespace, domain);
        if (project !== undefined && NAME.test(project) && NAME.test(domain)) yield { project, domain };
      }
    },
  };
}

function lengthOf(parts: readonly TemplatePart[], claim: ProjectAndDomain): number {
  let length = 0;
  for (const part of parts) length += partText(part, claim).length;
  return length;
}

/** The names that Flyte accepts for projects and domains. */
const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

function parsePart(text: string): TemplatePart {
  const [, label] = /^\{\{([^{}]*)\}\}$/.exec(text) ?? [];
  const name = label?.trim();
  if (name === undefined || name === "project" || name === "domain") return { text, label: name };
  throw new SecretsError(
    "invalid_config",
    `webhook.scopeBinding.namespaceTemplate: ${text} is not known; write {{ project }} or {{ domain }}`,
  );
}

function partText({ text, label }: TemplatePart, claim: ProjectAndDomain): string {
  return label === undefined ? text : claim[label];
}
