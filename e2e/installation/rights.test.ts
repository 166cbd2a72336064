// What the chart grants, compared with the rights that service and webhook say they need.
import { serviceRights, toWebhookOptions } from "@flyte-secrets/cli/configured";
import { webhookRights } from "@flyte-secrets/webhook";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { describeWith } from "../support/requirement.ts";
import { chartConfig } from "./chart-config.ts";
import { CHART, helm, requireHelm } from "./helm.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly name: string };
  readonly subjects?: readonly { readonly name: string }[];
}

const NAMESPACE = "flyte";
const COMPONENTS = ["service", "webhook"] as const;
type Component = (typeof COMPONENTS)[number];

const webhook = (settings: object, chart: object = {}) => ({
  configuration: { inline: { webhook: settings } },
  webhook: chart,
});
const embedded = (embeddedSecretManagerConfig: object, more: object = {}) =>
  webhook({ embeddedSecretManagerConfig, ...more });
const images = { imagePullSecrets: { enabled: true } };

/** Verbs that components use where they are granted, and do without. */
const SPARE = [
  "get namespaces", // Whether the namespace of the secrets is there.
  "get mutatingwebhookconfigurations",
];

describeWith(requireHelm(), "the chart's rights", () => {
  test.each([
    ["as it comes", {}],
    ["values in the pod", embedded({ delivery: "Inline" })],
    ["values in the pod, and image-pull secrets", embedded({ delivery: "Inline", ...images })],
    ["image-pull secrets beside the values", embedded(images)],
    [
      "image-pull secrets in a namespace of their own, which pods are in too",
      {
        ...embedded(images, { writtenSecrets: { namespaces: ["tasks", "images"] } }),
        "flyte-core-components": { secret: { imagePullNamespace: "images" } },
      },
    ],
    [
      "values of AWS, and image-pull secrets where pods are",
      {
        ...embedded(
          { type: "AWS", awsConfig: { region: "eu-west-1" }, ...images },
          { writtenSecrets: { namespaces: ["tasks", "images"] } },
        ),
        "flyte-core-components": { secret: { imagePullNamespace: "images" } },
      },
    ],
    ["values where pods are", webhook({ writtenSecrets: { namespaces: ["flyte", "flyte-secrets", "a"] } })],
    ["Secrets in every namespace", webhook({ writtenSecrets: { namespaces: [] } })],
    ["labels of namespaces", webhook({ scopeBinding: { namespaceLabels: true } })],
    ["a certificate of cert-manager's", webhook({}, { certManager: { enabled: true, issuerRef: { name: "issuer" } } })],
    ["no token", webhook({ cacheInvalidationTokenSecret: "" })],
    [
      "a certificate of the service's",
      { "flyte-core-components": { secret: { server: { tls: { secretName: "tls" } } } } },
    ],
  ])("are those that the components need: %s", async (_, values: object) => {
    const manifests = await render(values);
    for (const component of COMPONENTS) {
      const needed = neededRights(component, manifests, values);
      const granted = grantedRights(component, manifests);
      const wanted = needed.flatMap((right) => right.verbs.map((verb) => ({ ...right, verb })));
      const missing = wanted.filter((right) => !granted.some((grant) => covers(grant, right)));
      expect(missing.map(describeRight)).toEqual([]);
      const spare = granted.filter(
        (grant) =>
          !wanted.some((right) => covers(grant, right)) &&
          !SPARE.includes(`${grant.verb} ${grant.resource}`) &&
          !grant.role.endsWith("-former"),
      );
      expect(spare.map(describeRight)).toEqual([]);
    }
  });
});

async function render(values: object): Promise<Manifest[]> {
  const text = await helm(["template", "flyte-secrets", CHART, "--namespace", NAMESPACE], { values });
  return parseAllDocuments(text).flatMap((document) => document.toJS() ?? []);
}

/**
 * Of the configuration that the component reads in its pod, in a cluster where the chart's own objects are there, and empty.
 */
function neededRights(
  component: Component,
  manifests: readonly Manifest[],
  values: { webhook?: { certManager?: object } },
) {
  const config = chartConfig(manifests, component);
  const keepsCertificate = values.webhook?.certManager === undefined;
  const rights =
    component === "service"
      ? serviceRights(config, NAMESPACE)
      : webhookRights(toWebhookOptions(config, NAMESPACE), { keepsCertificate });
  return rights.filter(
    ({ makes }) => !manifests.some(({ metadata }) => makes !== undefined && metadata.name === makes),
  );
}

interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

function grantedRights(component: Component, manifests: readonly Manifest[]): (Right & { readonly role: string })[] {
  const bound = manifests.filter(
    ({ kind, subjects }) =>
      kind.endsWith("RoleBinding") && subjects?.some(({ name }) => name === `flyte-secrets-${component}`),
  );
  return bound.flatMap(({ roleRef, metadata: { namespace } }) => {
    const isRole = ({ kind, metadata }: Manifest) =>
      /^(Cluster)?Role$/.test(kind) && metadata.name === roleRef?.name && metadata.namespace === namespace;
    const { rules = [], metadata } = manifests.find(isRole) ?? { metadata: { name: "" } };
    return rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
      product(apiGroups, resources, verbs, resourceNames).map(([group, resource, verb, name]) => ({
        role: metadata.name,
        verb,
        group,
        resource,
        namespace,
        name,
      })),
    );
  });
}

function product<G, R, V, N>(groups: readonly G[], resources: readonly R[], verbs: readonly V[], names: readonly N[]) {
  return groups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) => names.map((name) => [group, resource, verb, name] as const)),
    ),
  );
}

/** Whether what is granted allows what is wanted. */
function covers(grant: Right, wanted: Right): boolean {
  return (
    grant.verb === wanted.verb &&
    grant.group === wanted.group &&
    grant.resource === wanted.resource &&
    (grant.namespace === undefined || grant.namespace === wanted.namespace) &&
    (grant.name === undefined || grant.name === wanted.name)
  );
}

function describeRight({ verb, resource, namespace = "*", name = "*" }: Right): string {
  return `${verb} ${resource} ${namespace}/${name}`;
}
