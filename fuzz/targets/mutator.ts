import assert from "node:assert/strict";
import { encodeBase32Lower, lookupIds, type ScopeLookup, SecretValue } from "@flyte-secrets/core";
import type { Delivery, Injector } from "@flyte-secrets/inject";
import {
  createAwsInjector,
  createAzureInjector,
  createEmbeddedInjector,
  createGcpInjector,
  createInlineDelivery,
  createK8sInjector,
  createMutator,
  createSecretRefDelivery,
  createVaultInjector,
  parsePod,
} from "@flyte-secrets/inject";
import jsonPatch from "fast-json-patch";
import { type FuzzTarget, textOf, unlessRefusedLater } from "../target.ts";

const VALUE = "canary-5d0f-value";
const REFUSED = [
  "invalid_argument",
  "invalid_annotation",
  "not_injected",
  "pod_conflict",
  "mount_unsupported",
  "claim_refused",
  "limit_exceeded",
] as const;

/** Has the keys `text` and `bytes`, at every scope. */
const lookup: ScopeLookup = {
  async find(scope, key) {
    const [first] = lookupIds(scope, key);
    if (first === undefined || (key !== "text" && key !== "bytes")) return { found: false, attempts: [] };
    const bytes = Buffer.from(key === "text" ? VALUE : `\xff${VALUE}`, "latin1");
    return { found: true, ...first, value: SecretValue.fromBytes(bytes), attempts: [] };
  },
};

const podOf = (manager: string, annotations: readonly string[]) =>
  JSON.stringify({
    manager,
    requests: annotations,
    metadata: { namespace: "p-d", labels: { organization: "flyte", domain: "d", project: "p" } },
    spec: { containers: [{ name: "main", env: [{ name: "A", value: "1" }] }], initContainers: [{ name: "init" }] },
  });

/**
 * A pod with its requests, in both ways of delivery. `manager` names who serves, `requests` holds request texts, which
 * are put into annotations here, so that mutations reach what is in them.
 */
export const target: FuzzTarget = {
  seeds: [
    podOf("Embedded", ['key: "text"', 'key: "bytes" mount_requirement: FILE', 'key: "text" env_var: "DB"']),
    podOf("K8s", ['group: "db" key: "text"', 'group: "db" key: "text" mount_requirement: FILE', 'key: "text"']),
    podOf("AWS", ['group: "arn:aws:secretsmanager:r:1:secret:s" group_version: "AWSCURRENT" mount_requirement: FILE']),
    podOf("GCP", ['group: "projects/p/secrets/s" group_version: "1" key: "k"']),
    podOf("Azure", ['group: "https://v.vault.azure.net/secrets/n/" key: "k" mount_requirement: FILE']),
    podOf("Vault", [
      'group: "secret/data/a" key: "k" mount_requirement: FILE',
      'group: "kv" group_version: "db" key: "x"',
    ]),
  ],
  dictionary: [
    "text",
    "bytes",
    "group",
    "key",
    "env_var",
    "mount_requirement: FILE",
    "mount_requirement: ENV_VAR",
    "../",
    "/",
    "Embedded",
    "K8s",
    "AWS",
    "GCP",
    "Azure",
    "Vault",
    "flyte-secrets",
    "_UNION_TEXT",
    "FLYTE_SECRETS_DEFAULT_DIR",
  ],
  maxBytes: 8_192,
  open() {
    const managersFor = (delivery: Delivery) => ({
      Embedded: createEmbeddedInjector({ lookup }),
      K8s: createK8sInjector({ lookup, copies: delivery.name === "SecretRef" }),
      AWS: createAwsInjector(),
      GCP: createGcpInjector(),
      Azure: createAzureInjector(),
      Vault: createVaultInjector(),
    });
    return {
      async run(bytes) {
        const { manager = "Embedded", pod: given } = readInput(textOf(bytes));
        if (given === undefined) return;
        const deliveries: Delivery[] = [
          createSecretRefDelivery({ writer: { async write() {} }, namingKey: new Uint8Array(32) }),
          createInlineDelivery(),
        ];
        for (const delivery of deliveries) {
          const known = managersFor(delivery);
          const chosen = Object.hasOwn(known, manager) ? known[manager as keyof typeof known] : known.Embedded;
          await checkMutation(given, [chosen], delivery);
        }
      },
    };
  },
};

async function checkMutation(given: object, managers: readonly Injector[], delivery: Delivery): Promise<void> {
  const { mutate } = createMutator({ managers, secretEnvVarPrefix: "_UNION_", envVarNaming: "posix", delivery });
  const mutation = await unlessRefusedLater(REFUSED, async () => mutate(parsePod(given)));
  if (!mutation?.changed) return;
  const operations = structuredClone(mutation.patch.operations) as jsonPatch.Operation[];
  const patched = jsonPatch.applyPatch(structuredClone(given), operations, true, true, false).newDocument;
  assert.deepEqual(JSON.parse(JSON.stringify(patched)), JSON.parse(JSON.stringify(mutation.pod)));
  assert.deepEqual(await mutate(mutation.pod), { changed: false });
  if (delivery.name === "SecretRef") assert(!mutation.patch.json.includes(VALUE), "the patch contains a value");
}

/** The pod of an input, and who serves it. */
function readInput(text: string): { manager?: string; pod?: object } {
  let input: { manager?: unknown; requests?: unknown; metadata?: { annotations?: unknown } | null };
  try {
    input = Object(JSON.parse(text));
  } catch {
    return {};
  }
  const { manager, requests, ...pod } = input;
  const texts = Array.isArray(requests) ? requests.filter((one) => typeof one === "string") : [];
  const annotations = Object.fromEntries(
    texts.map((one, index) => [`flyte.secrets/s${index}`, encodeBase32Lower(one)]),
  );
  const metadata = { ...pod.metadata, annotations: { ...Object(pod.metadata?.annotations), ...annotations } };
  return { ...(typeof manager === "string" && { manager }), pod: JSON.parse(JSON.stringify({ ...pod, metadata })) };
}
