// What the webhook does to a pod under the configurations of Flyte's guides, by the real command. Those that need a
// cloud's secret manager or a cluster are tried with one in the suites of fetchers and of Kubernetes.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INJECT_LABEL, MountRequirement, type SecretRequest, toRequestAnnotations } from "@flyte-secrets/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runProgram } from "../support/run-program.ts";

const COMMAND = join(import.meta.dirname, "../../packages/cli/bin/flyte-secrets.js");
const GUIDES = join(import.meta.dirname, "../../packages/config/testdata/flyte-guides");
const { ANY, ENV_VAR } = MountRequirement;

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "flyte-secrets-configs-"));
});
afterAll(() => rmSync(home, { recursive: true }));

/** The pod that `mutate` prints, with `UUID` for those of Vault's annotations. */
async function mutate(guide: string, asked: Partial<SecretRequest>): Promise<unknown> {
  const request = { group: "", groupVersion: "", key: "", mountRequirement: ANY, envVar: "", ...asked };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "task",
      namespace: "shop-production",
      labels: { [INJECT_LABEL]: "true", organization: "flyte", project: "shop", domain: "production" },
      annotations: toRequestAnnotations([request]),
    },
    spec: { containers: [{ name: "main", image: "task" }] },
  };
  const args = [COMMAND, "mutate", "-f", "-", "-o", "json", "-c", join(GUIDES, `${guide}.yaml`)];
  const env = { HOME: home, FLYTE_SECRET_SMTP_PASSWORD: "value" };
  const { exitCode, stdout, stderr } = await runProgram(process.execPath, args, { env, input: JSON.stringify(pod) });
  expect([exitCode, stderr]).toEqual([0, ""]);
  const printed = JSON.parse(stdout.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID"));
  // A Secret that would be written comes before its pod.
  return printed.kind === "List" ? printed.items.at(-1) : printed;
}

const SIDECAR = { requests: { cpu: "200m", memory: "500Mi" }, limits: { cpu: "200m", memory: "500Mi" } };
const pulled = (name: string, image: string) => ({ spec: { initContainers: [{ name, image, resources: SIDECAR }] } });
const prefix = (value: string) => ({ name: "FLYTE_SECRETS_ENV_PREFIX", value });
const variables = (...env: object[]) => ({ spec: { containers: [{ env }] } });
const agent = (annotations: Record<string, string>) => ({
  metadata: {
    annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`vault.hashicorp.com/${name}`, value]),
    ),
  },
});

test.each<[string, Partial<SecretRequest>, object]>([
  [
    "aws-sidecar",
    { group: "shop", key: "k" },
    pulled("aws-pull-secret-0", "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4"),
  ],
  [
    "gcp-sidecar",
    { group: "shop", groupVersion: "1" },
    pulled("gcp-pull-secret-0", "gcr.io/google.com/cloudsdktool/cloud-sdk:alpine"),
  ],
  [
    "azure-sidecar",
    { group: "https://v.vault.azure.net/secrets/shop" },
    pulled("azure-pull-secret-0", "mcr.microsoft.com/azure-cli:cbl-mariner2.0"),
  ],
  [
    "vault",
    { group: "secret/data/shop", key: "k" },
    agent({
      role: "flyte-role",
      "auth-type": "kubernetes",
      "agent-inject-template-UUID": '{{- with secret "secret/data/shop" -}}{{ .Data.data.k }}{{- end -}}',
    }),
  ],
  [
    "vault-version-1",
    { group: "kv/shop", key: "k" },
    agent({ role: "flyte", "agent-inject-template-UUID": '{{- with secret "kv/shop" -}}{{ .Data.k }}{{- end -}}' }),
  ],
  [
    "several-managers",
    { group: "shop", key: "k", mountRequirement: ENV_VAR },
    variables(prefix("_FLYTE_"), { name: "_FLYTE_SHOP_K" }),
  ],
  [
    "user-guide-variables",
    { group: "my-db-credentials", key: "password", mountRequirement: ENV_VAR },
    variables(prefix("FLYTE_SECRETS_"), { name: "FLYTE_SECRETS_MY-DB-CREDENTIALS_PASSWORD" }),
  ],
  ["global", { group: "smtp", key: "password" }, variables({ name: "_UNION_SMTP_PASSWORD" }, prefix("_UNION_"))],
])("under %s a request for %j is served as in Flyte", async (guide, asked, expected) => {
  expect(await mutate(guide, asked)).toMatchObject(expected);
});
