import { SecretValue } from "@flyte-secrets/core";
import type { Pod } from "@flyte-secrets/inject";

/** What Vault answers for a path: `.Data` of its templates. */
export type VaultAnswers = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const PREFIX = "vault.hashicorp.com/";
const TEMPLATE = /^\{\{- with secret "(?<path>.*)" -\}\}\{\{ \.Data(?<query>(?:\.[\w-]+)+) \}\}\{\{- end -\}\}$/;

/**
 * Stands in for Vault's agent injector, whose agent is no program that can be had here: by its documented annotations
 * it adds a volume with the files that the agent would write. The volume's Secret is given beside the pod.
 */
export function injectVaultAgent(pod: Pod, answers: VaultAnswers): { pod: Pod; files: Record<string, SecretValue> } {
  const annotations = pod.metadata?.annotations ?? {};
  if (annotations[`${PREFIX}agent-inject`] !== "true") throw new Error("the pod does not ask for Vault's agent");
  const files: Record<string, SecretValue> = {};
  const items: { key: string; path: string }[] = [];
  for (const [name, path = ""] of Object.entries(annotations)) {
    const id = name.startsWith(`${PREFIX}agent-inject-secret-`) && name.slice(`${PREFIX}agent-inject-secret-`.length);
    if (!id) continue;
    files[id] = SecretValue.fromText(render(annotations[`${PREFIX}agent-inject-template-${id}`], path, answers));
    items.push({ key: id, path: annotations[`${PREFIX}agent-inject-file-${id}`] ?? "" });
  }
  const mount = { name: "vault-secrets", mountPath: annotations[`${PREFIX}secret-volume-path`] ?? "/vault/secrets" };
  const volume = { name: "vault-secrets", secret: { secretName: "vault-secrets", items } };
  const containers = pod.spec.containers.map((container) => ({
    ...container,
    volumeMounts: [...(container.volumeMounts ?? []), mount],
  }));
  return { pod: { ...pod, spec: { ...pod.spec, containers, volumes: [...(pod.spec.volumes ?? []), volume] } }, files };
}

function render(template: string | undefined, path: string, answers: VaultAnswers): string {
  if (template === undefined) {
    // The agent's own template.
    return Object.entries(answers[path] ?? {})
      .sort()
      .map(([key, value]) => `${key}: ${value}\n`)
      .join("");
  }
  const { groups } = TEMPLATE.exec(template) ?? {};
  if (groups?.path !== path) throw new Error(`a template that the agent would not take: ${template}`);
  const keys = (groups.query ?? "").slice(1).split(".");
  return String(keys.reduce<unknown>((data, key) => Object(data)[key], answers[path]));
}
