import { type Pod, SecretsError } from "@flyte-secrets/core";
import type { Settings } from "../config/schema.ts";
import type { Creator } from "./admission-review.ts";

/** `webhook.scopeBinding`, and the organization that all secrets belong to. */
export interface ScopeGuardOptions {
  readonly binding: Settings["webhook"]["scopeBinding"];
  readonly organization: string;
}

/** A pod that is to be created: where and by whom. */
export interface PodCreation {
  readonly pod: Pod;
  readonly namespace: string;
  readonly creator: Creator;
}

/**
 * Why a pod may not claim the scope that its labels name, with the setting that would allow it; undefined when it may, and
 * when its labels name none.
 */
export type ScopeGuard = (creation: PodCreation) => string | undefined;

/**
 * Decides who may claim a scope (spec page 4): whoever may create pods can write any label, so the labels alone prove nothing.
 * Throws `invalid_config` for a template with a name that no label has.
 */
export function createScopeGuard({ binding, organization }: ScopeGuardOptions): ScopeGuard {
  if (binding.mode === "off") return () => undefined;
  const template = parseTemplate(binding.namespaceTemplate);
  const trustedNamespaces = new Set(binding.trustedNamespaces);
  const trustedCreators = new Set(binding.trustedCreators);
  const isTrusted = ({ username, groups }: Creator) =>
    trustedCreators.size > 0 &&
    (trustedCreators.has(username) || groups.some((group) => trustedCreators.has(`group:${group}`)));

  return ({ pod, namespace, creator }) => {
    const { organization: org = "", project = "", domain = "" } = pod.metadata?.labels ?? {};
    if (org === "" || project === "" || domain === "") return undefined;
    if (org !== organization) {
      return `the pod's label organization is "${org}", and all secrets are of "${organization}" (secret.organization)`;
    }
    if (trustedNamespaces.has(namespace) || isTrusted(creator)) return undefined;
    if (isFilled(template, { project, domain }, namespace)) return undefined;
    const own = template.map((part) => partText(part, { project, domain })).join("");
    return (
      `a pod in namespace "${namespace}" may not claim project "${project}" and domain "${domain}", whose own namespace is ` +
      `"${own}" (webhook.scopeBinding.namespaceTemplate): create it there, or have the namespace added to ` +
      `webhook.scopeBinding.trustedNamespaces or the creator "${creator.username}" to webhook.scopeBinding.trustedCreators`
    );
  };
}

/** A text, or the label whose value stands here. */
interface TemplatePart {
  readonly text: string;
  readonly label: "project" | "domain" | undefined;
}

function parseTemplate(template: string): readonly TemplatePart[] {
  return template.split(/(\{\{.*?\}\})/).map((text) => {
    const [, label] = /^\{\{\s*(.*?)\s*\}\}$/.exec(text) ?? [];
    if (label === undefined || label === "project" || label === "domain") return { text, label };
    throw new SecretsError(
      "invalid_config",
      `webhook.scopeBinding.namespaceTemplate: ${text} is not known; write {{ project }} or {{ domain }}`,
    );
  });
}

type TemplateLabels = Readonly<Record<"project" | "domain", string>>;

function partText({ text, label }: TemplatePart, labels: TemplateLabels): string {
  return label === undefined ? text : labels[label];
}

/** Whether `whole` is the template with the labels' values, without joining it: nearly every pod is in the namespace it should be in. */
function isFilled(template: readonly TemplatePart[], labels: TemplateLabels, whole: string): boolean {
  let at = 0;
  for (const part of template) {
    const text = partText(part, labels);
    if (!whole.startsWith(text, at)) return false;
    at += text.length;
  }
  return at === whole.length;
}
