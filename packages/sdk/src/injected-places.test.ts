import { createHash } from "node:crypto";
import { MountRequirement, type ScopeLookup, type SecretRequest, SecretValue } from "@flyte-secrets/core";
import type { Injector } from "@flyte-secrets/inject";
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
} from "@flyte-secrets/inject";
import { expect, test } from "vitest";
import { secretPlaces } from "./find-secret.ts";
import { task } from "./task.ts";
import { toPod } from "./to-pod.ts";

// What the mutator puts into a pod (I-11) is where a task looks for it (T-6, T-7): both ends in one test.

const value = SecretValue.fromText("v");
const lookup: ScopeLookup = {
  find: async (scope, key) => ({ found: true, id: { ...scope, name: key }, level: "project", value, attempts: [] }),
};
const MANAGERS = {
  K8s: createK8sInjector({ lookup, copies: true }),
  AWS: createAwsInjector(),
  GCP: createGcpInjector(),
  Azure: createAzureInjector(),
  Vault: createVaultInjector(),
  Global: createGlobalInjector({ readVariable: () => "v", readFile: async () => undefined }),
  Embedded: createEmbeddedInjector({ lookup }),
} as const satisfies Record<string, Injector>;

const { ANY, ENV_VAR, FILE } = MountRequirement;
const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const directory = "/etc/flyte/secrets";

/** Manager, request, naming, the place where the secret is, and what in the pod puts it there. */
const CASES: [keyof typeof MANAGERS, Partial<SecretRequest>, "raw" | "posix", string, string[]][] = [
  [
    "K8s",
    { group: "My-Group", key: "My.Key" },
    "raw",
    `${directory}/my-group/my.key`,
    [`${directory}/my-group`, "my.key"],
  ],
  ["K8s", { group: "g", groupVersion: "v1", key: "k" }, "raw", `${directory}/g/k`, [`${directory}/g`, "k"]],
  [
    "K8s",
    { group: "My-Group", key: "k", mountRequirement: ENV_VAR },
    "raw",
    "_UNION_MY-GROUP_K",
    ["_UNION_MY-GROUP_K"],
  ],
  [
    "K8s",
    { group: "My-Group", key: "k", mountRequirement: ENV_VAR },
    "posix",
    "_UNION_MY_GROUP_K",
    ["_UNION_MY_GROUP_K"],
  ],
  [
    "K8s",
    { key: "plain", mountRequirement: FILE },
    "raw",
    `${directory}/${md5("plain")}/plain`,
    [`${directory}/${md5("plain")}`, "plain"],
  ],
  [
    "K8s",
    { key: "plain", mountRequirement: ENV_VAR },
    "raw",
    `_UNION_${md5("plain")}_PLAIN`.toUpperCase(),
    [`_UNION_${md5("plain")}_PLAIN`.toUpperCase()],
  ],
  ["AWS", { group: "arn:aws:x:My", key: "Key" }, "raw", `${directory}/arn:aws:x:my/key`, ["/arn:aws:x:my/key"]],
  [
    "GCP",
    { group: "projects/p/secrets/S", groupVersion: "1", key: "k" },
    "raw",
    `${directory}/projects/p/secrets/s/1`,
    [`${directory}/projects/p/secrets/s/1`],
  ],
  [
    "Azure",
    { group: "https://v.vault.azure.net/secrets/S/", groupVersion: "1" },
    "raw",
    `${directory}/s/1`,
    [`${directory}/s/1`],
  ],
  ["Azure", { group: "https://v.vault.azure.net/secrets/S" }, "raw", `${directory}/s`, [`${directory}/s`]],
  [
    "Vault",
    { group: "secret/data/My", groupVersion: "kv2", key: "Key" },
    "raw",
    `${directory}/secret/data/My/Key`,
    ["secret/data/My/Key"],
  ],
  ["Global", { group: "My-Group", key: "k" }, "raw", "_UNION_MY-GROUP_K", ["_UNION_MY-GROUP_K"]],
  ["Embedded", { group: "ignored", key: "my-key" }, "raw", "_UNION_MY-KEY", ["_UNION_MY-KEY"]],
  ["Embedded", { key: "my-key" }, "posix", "_UNION_MY_KEY", ["_UNION_MY_KEY"]],
  [
    "Embedded",
    { group: "ignored", key: "My-Key", mountRequirement: FILE },
    "raw",
    `${directory}/My-Key`,
    [directory, "My-Key=dg=="],
  ],
];

test.each(
  CASES,
)("%s with %j and %s naming puts the secret where getSecret looks", async (manager, asked, naming, place, evidence) => {
  const request = { group: "", groupVersion: "", key: "", mountRequirement: ANY, envVar: "", ...asked };
  const mutator = createMutator({
    managers: [MANAGERS[manager]],
    secretEnvVarPrefix: "_UNION_",
    envVarNaming: naming,
    // K8s copies managed Secrets, which only SecretRef can; for the others Inline shows where the value goes.
    delivery:
      manager === "K8s" ? createSecretRefDelivery({ writer: { write: async () => {} } }) : createInlineDelivery(),
  });
  const pod = toPod(
    task({ name: "t" }, () => {}),
    { image: "i", project: "p", domain: "d", inherited: [request] },
  );
  const mutation = await mutator.mutate(pod);
  if (!mutation.changed) throw new Error("nothing was injected");
  const text = JSON.stringify({ ...mutation.pod.spec, ...mutation.pod.metadata });
  for (const part of evidence) expect(text).toContain(part);

  const env = mutation.pod.spec.containers[0]?.env ?? [];
  const variables = Object.fromEntries(env.map((variable) => [variable.name, variable.value]));
  const places = secretPlaces(request, { variables, local: false, vaultDirectory: "/vault/secrets" });
  expect([...places.variables, ...places.files]).toContain(place);
});
