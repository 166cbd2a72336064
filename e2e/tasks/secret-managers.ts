// The secret managers that the tasks ask, called as the tasks are, and what they hold. Most text ends with a line feed,
// which flytekit cuts off.
import { encodeSecretId, kubernetesSecretName, lookupIds, type ScopeLookup, SecretValue } from "@flyte-secrets/core";
import type { SecretToDeliver } from "@flyte-secrets/inject";
import {
  createAwsInjector,
  createAzureInjector,
  createEmbeddedInjector,
  createGcpInjector,
  createGlobalInjector,
  createInlineDelivery,
  createK8sInjector,
  createMutator,
  createSecretRefDelivery,
  createVaultInjector,
  type Mutator,
} from "@flyte-secrets/inject";
import type { VaultAnswers } from "./vault-agent.ts";

/** The namespace of the pods. */
export const NAMESPACE = "p-development";
export const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte);

/** By the name that is asked for. */
type Held = Readonly<Record<string, string | Uint8Array>>;

const IN_NAMESPACE: Readonly<Record<string, Held>> = {
  database: { password: "db-password\n", Url: "postgres://db $(HOME) $$\n" },
  "my-db-credentials": { password: "guide-password\n" },
  tls: { "Server.crt": "certificate\n", archive: EVERY_BYTE },
};

/** Managed secrets, at project scope. */
export const MANAGED: Held = {
  "api-key": "managed-api-key\n",
  token: "managed-token",
  certificate: "managed-certificate\n",
  archive: EVERY_BYTE,
};

export const IN_CLOUDS: Held = {
  "arn:aws:secretsmanager:eu-west-1:1:secret:Shop:Password": "aws-password\n",
  "shop:archive": EVERY_BYTE,
  "projects/p/secrets/Shop/versions/3": "gcp-3\n",
  "archive/versions/latest": EVERY_BYTE,
  "https://v.vault.azure.net/secrets/Shop/1f": "azure-1f",
  "https://v.vault.azure.net/secrets/Newest": "azure-newest",
};

export const IN_VAULT: VaultAnswers = {
  "secret/data/shop": { data: { password: "kv2-password" }, metadata: { version: 1 } },
  "kv/shop": { password: "kv1-password" },
  "database/creds/shop": { username: "u", password: "dynamic" },
};

const DEFAULTS = { secretEnvVarPrefix: "_UNION_", envVarNaming: "raw" } as const;
const USER_GUIDE = { secretEnvVarPrefix: "FLYTE_SECRETS_", envVarNaming: "posix" } as const;
const INIT_CONTAINER = { image: "busybox", containerName: "init-embedded-secret", resources: {} };

export type DeliveryName = "SecretRef" | "Inline";

/** The data of the Secrets in the pods' namespace, by their names. */
export type NamespaceSecrets = Map<string, Readonly<Record<string, SecretValue>>>;

/** A mutator for one pod, and the Secrets in its namespace, among them those that the mutator writes. */
export function openManager(task: string, delivery: DeliveryName): { mutator: Mutator; secrets: NamespaceSecrets } {
  const secrets: NamespaceSecrets = new Map(
    Object.entries(IN_NAMESPACE).map(([name, held]) => [
      name,
      Object.fromEntries(Object.entries(held).map(([key, content]) => [key, toValue(content)])),
    ]),
  );
  // Only SecretRef can carry a managed Secret from another namespace into the pod's.
  const managedNamespace = delivery === "SecretRef" ? "flyte" : NAMESPACE;
  if (managedNamespace === NAMESPACE) {
    for (const [name, content] of Object.entries(MANAGED)) {
      const id = { org: "flyte", project: "p", domain: "development", name };
      secrets.set(kubernetesSecretName(id), { [encodeSecretId(id)]: toValue(content) });
    }
  }
  const writer = {
    async write(_: string, written: readonly SecretToDeliver[]) {
      for (const { name, data } of written) secrets.set(name, data);
    },
  };
  const mutator = createMutator({
    managers: managersOf(task, managedIn(managedNamespace), delivery),
    ...(task === "user_guide" ? USER_GUIDE : DEFAULTS),
    delivery:
      delivery === "SecretRef"
        ? createSecretRefDelivery({ writer })
        : createInlineDelivery({ fileMountInitContainer: INIT_CONTAINER }),
  });
  return { mutator, secrets };
}

function managersOf(task: string, lookup: ScopeLookup, delivery: DeliveryName) {
  switch (task) {
    case "k8s":
    case "user_guide":
      return [createK8sInjector({ lookup, copies: delivery === "SecretRef" })];
    case "aws":
      return [createAwsInjector({ sidecarImage: "aws", resources: {} })];
    case "gcp":
      return [createGcpInjector({ sidecarImage: "gcloud", resources: {} })];
    case "azure":
      return [createAzureInjector({ sidecarImage: "az", resources: {} })];
    case "vault":
      return [createVaultInjector()];
    case "embedded":
      return [globalManager(), createEmbeddedInjector({ lookup })];
    default:
      throw new Error(`there is no manager for the task ${task}`);
  }
}

function globalManager() {
  return createGlobalInjector({
    readVariable: (name) => (name === "FLYTE_SECRET_SMTP_PASSWORD" ? "smtp-password\n" : undefined),
    readFile: async (path) => (path === "/etc/secrets/smtp/user" ? toValue("smtp-user\n") : undefined),
  });
}

function managedIn(namespace: string): ScopeLookup {
  return {
    find(scope, key) {
      const [narrowest] = lookupIds(scope, key);
      const content = MANAGED[key];
      if (!narrowest || content === undefined) return { found: false, attempts: [] };
      return { found: true, ...narrowest, value: toValue(content), namespace, attempts: [] };
    },
  };
}

function toValue(content: string | Uint8Array): SecretValue {
  return typeof content === "string" ? SecretValue.fromText(content) : SecretValue.fromBytes(content);
}
