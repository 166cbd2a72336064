import { readFileSync } from "node:fs";
import { encodeSecretId, isSecretsError, lookupIds, type ScopeLookup, SecretValue } from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import { createInlineDelivery } from "./delivery/inline.ts";
import { createAwsInjector } from "./managers/aws.ts";
import { createAzureInjector } from "./managers/azure.ts";
import { createEmbeddedInjector } from "./managers/embedded.ts";
import { createGcpInjector } from "./managers/gcp.ts";
import { createGlobalInjector } from "./managers/global.ts";
import type { Injector } from "./managers/injector.ts";
import { createK8sInjector } from "./managers/k8s.ts";
import { createVaultInjector } from "./managers/vault.ts";
import { createMutator } from "./mutator.ts";
import { parsePod } from "./pod/parse-pod.ts";

/**
 * One case of `pods.jsonl`: a pod and what Flyte's own mutator made of it; its fields are described in the vectors'
 * README.
 */
interface Case {
  readonly managers: readonly string[];
  readonly pod: unknown;
  readonly requests: readonly unknown[];
  readonly secretEnvVarPrefix?: string;
  readonly store?: Readonly<Record<string, { readonly s?: string; readonly b?: string }>>;
  readonly globalEnv?: Readonly<Record<string, string>>;
  readonly globalFiles?: Readonly<Record<string, string>>;
  readonly vaultRole?: string;
  readonly vaultAnnotations?: Readonly<Record<string, string>>;
  readonly expect: { readonly pod?: unknown; readonly rejected?: boolean; readonly code?: number };
}

const VECTORS = new URL("../../testkit/testdata/vectors/pods.jsonl", import.meta.url);
const cases = readFileSync(VECTORS, "utf8")
  .trimEnd()
  .split("\n")
  .map((line): Case => JSON.parse(line));

function lookupIn(store: Case["store"] = {}): ScopeLookup {
  return {
    async find(scope, key) {
      for (const { id, level } of lookupIds(scope, key)) {
        const entry = store[encodeSecretId(id)];
        if (!entry) continue;
        const value = entry.s
          ? SecretValue.fromText(entry.s)
          : SecretValue.fromBytes(Buffer.from(entry.b ?? "", "base64"));
        return { found: true, id, level, value, attempts: [] };
      }
      return { found: false, attempts: [] };
    },
  };
}

function managersOf(one: Case): Injector[] {
  const global = createGlobalInjector({
    readVariable: (name) => one.globalEnv?.[name],
    async readFile(path) {
      const content = one.globalFiles?.[path.replace("/etc/secrets/", "")];
      return content === undefined ? undefined : SecretValue.fromText(content);
    },
  });
  const lookup = lookupIn(one.store);
  const known: Record<string, Injector> = {
    Embedded: createEmbeddedInjector({ lookup }),
    K8s: createK8sInjector({ lookup, copies: false }),
    AWS: createAwsInjector(),
    GCP: createGcpInjector(),
    Azure: createAzureInjector(),
    Vault: createVaultInjector({
      ...(one.vaultRole && { role: one.vaultRole }),
      ...(one.vaultAnnotations && { annotations: one.vaultAnnotations }),
    }),
  };
  return [global, ...one.managers.map((name) => known[name] ?? never(name))];
}

function never(name: string): Injector {
  throw new Error(`no manager ${name}`);
}

/**
 * Leaves out what is not compared: our own scripts, how Vault's agent takes a missing key, status, empty resources, an
 * empty value of a variable.
 */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value)
    .filter(([name, field]) => !(name === "value" && field === "") && name !== "status")
    // Flyte lets the agent write `<no value>` for a key that isn't there.
    .filter(([name]) => !name.startsWith("vault.hashicorp.com/error-on-missing-key-"))
    .filter(([name, field]) => !(name === "resources" && Object.keys(field ?? {}).length === 0))
    .map(([name, field]) => [name, name === "command" ? withoutScript(field) : comparable(asFlytesTemplate(field))]);
  return Object.fromEntries(fields);
}

const VAULT_SECRET = /^vault\.hashicorp\.com\/agent-inject-(secret|file|template)-([0-9a-f-]{36})$/;

/** Names Vault's identifiers `<uuid0>`, `<uuid1>`, ..., sorted by the values of secret, file and template. */
function withNamedUuids(pod: unknown): unknown {
  if (typeof pod !== "object" || pod === null || !("metadata" in pod)) return pod;
  const metadata = pod.metadata as { annotations?: Record<string, string> };
  const annotations = Object.entries(metadata.annotations ?? {});
  const byUuid = new Map<string, Record<string, string>>();
  for (const [name, value] of annotations) {
    const [, field = "", uuid = ""] = VAULT_SECRET.exec(name) ?? [];
    if (uuid !== "") byUuid.set(uuid, { ...byUuid.get(uuid), [field]: value });
  }
  const sortKey = ({ secret = "", file = "", template = "" }) => [secret, file, template].join("\0");
  const uuids = [...byUuid].sort(([, a], [, b]) => (sortKey(a) < sortKey(b) ? -1 : 1)).map(([uuid]) => uuid);
  const renamed = annotations.map(([name, value]) => [
    name.replace(/[0-9a-f]{8}-[0-9a-f-]{27}$/, (uuid) => `<uuid${uuids.indexOf(uuid)}>`),
    value,
  ]);
  return { ...pod, metadata: { ...metadata, annotations: Object.fromEntries(renamed) } };
}

/**
 * Flyte writes any key as the field of a template, also where Go takes it for something else or nothing
 * (e2e/tasks/agent-templates.test.ts).
 */
function asFlytesTemplate(text: unknown): unknown {
  if (typeof text !== "string") return text;
  return text.replace(/\{\{ \$value := index (\S+) "(.*?)" \}\}.*\{\{ \$value \}\}/, "{{ $1.$2 }}");
}

function withoutScript(command: unknown): unknown {
  if (!Array.isArray(command) || command[0] !== "sh" || !String(command.at(-1)).includes("/etc/flyte/secrets"))
    return command;
  return [...command.slice(0, -1), "<script>"];
}

function outcomeOf(number: number, { expect }: (typeof cases)[number]): string {
  if (CONFLICTS.has(number)) return "is rejected here";
  return expect.rejected ? "is rejected" : "becomes the same pod";
}

/** Cases with two secrets in one variable, of which Flyte's pod has the last. */
const CONFLICTS: ReadonlySet<number> = new Set([252]);

describe("what Flyte's own mutator made of generated pods", () => {
  for (const [line, one] of cases.entries()) {
    it(`case ${line + 1} (${one.managers.join(", ")}) ${outcomeOf(line + 1, one)}`, async () => {
      const mutator = createMutator({
        managers: managersOf(one),
        secretEnvVarPrefix: one.secretEnvVarPrefix ?? "_UNION_",
        envVarNaming: "raw",
        delivery: createInlineDelivery(),
      });
      const mutation = mutator.mutate(parsePod(one.pod));
      if (CONFLICTS.has(line + 1)) {
        await expect(mutation).rejects.toMatchObject({ code: "pod_conflict" });
        return;
      }
      if (one.expect.rejected) {
        const error = await mutation.catch((error: unknown) => error);
        expect(isSecretsError(error) && error.kind.admission).toBe(one.expect.code);
        return;
      }
      const result = await mutation;
      expect(withNamedUuids(comparable(result.changed ? result.pod : one.pod))).toEqual(one.expect.pod);
    });
  }
});
