import {
  encodeSecretId,
  kubernetesSecretName,
  lookupIds,
  type ScopeLookup,
  SecretValue,
  toRequestAnnotations,
} from "@flyte-secrets/core";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../delivery/delivery.ts";
import { createInlineDelivery } from "../delivery/inline.ts";
import { createSecretRefDelivery } from "../delivery/secret-ref.ts";
import { createMutator } from "../mutator.ts";
import { parsePod } from "../pod/parse-pod.ts";
import { createEmbeddedInjector } from "./embedded.ts";

const VALUES = "flyte";
const VALUE = "the-value-in-this-test";
const ID = { org: "flyte", domain: "dev", project: "p", name: "k" };
const REQUEST = { group: "", groupVersion: "", key: "k", mountRequirement: 1, envVar: "MINE" };

/** Over Secrets of namespace `flyte`, or over a cloud's secret manager. */
const lookupOf = (namespace: string | undefined): ScopeLookup => ({
  find(scope, key) {
    const [narrowest] = lookupIds(scope, key);
    if (narrowest === undefined) return { found: false, attempts: [] };
    const value = SecretValue.fromText(VALUE);
    return { found: true, ...narrowest, value, attempts: [], ...(namespace && { namespace }) };
  },
});

/**
 * A pod that asks for a variable, with what Flyte's webhook makes of it since 2.0.45: the Secret as it is stored, not
 * optional.
 */
function podOfFlyte(namespace: string) {
  const secretKeyRef = { name: kubernetesSecretName(ID), key: encodeSecretId(ID) };
  const names = ["_UNION_K", "MINE"];
  const env = [
    { name: "FLYTE_SECRETS_ENV_PREFIX", value: "_UNION_" },
    ...names.map((name) => ({ name, valueFrom: { secretKeyRef } })),
  ];
  const labels = { organization: "flyte", domain: "dev", project: "p" };
  return parsePod({
    metadata: { namespace, labels, annotations: toRequestAnnotations([REQUEST]) },
    spec: { containers: [{ name: "main", env }], initContainers: [{ name: "prepare", env }] },
  });
}

const inline = (): Delivery => createInlineDelivery();
const secretRef = (): Delivery => createSecretRefDelivery({ writer: { async write() {} } });

describe.each([
  ["Inline", inline],
  ["SecretRef", secretRef],
])("a pod that Flyte's webhook has been at since 2.0.45, with %s", (_, createDelivery) => {
  it.each([
    ["in the namespace of the values", VALUES, VALUES],
    ["in another namespace, which Flyte's refuses", "shop-dev", VALUES],
    ["with values in a cloud's secret manager, which Flyte's refuses as variables", "shop-dev", undefined],
  ])("%s: has each variable once, and it is ours", async (_, namespace, values) => {
    const embedded = createEmbeddedInjector({ lookup: lookupOf(values) });
    const delivery = createDelivery();
    const mutator = createMutator({
      managers: [embedded],
      secretEnvVarPrefix: "_UNION_",
      envVarNaming: "raw",
      delivery,
    });
    const mutation = await mutator.mutate(podOfFlyte(namespace), { namespace });
    const { containers, initContainers } = mutation.changed ? mutation.pod.spec : podOfFlyte(namespace).spec;
    for (const { env } of [...containers, ...(initContainers ?? [])]) {
      expect(env?.map(({ name }) => name).toSorted()).toEqual(["FLYTE_SECRETS_ENV_PREFIX", "MINE", "_UNION_K"]);
    }
    const reads = containers[0]?.env?.find(({ name }) => name === "MINE");
    const secretKeyRef = { name: kubernetesSecretName(ID), key: encodeSecretId(ID) };
    if (createDelivery === inline) expect(reads).toEqual({ name: "MINE", value: VALUE });
    else if (namespace === values) expect(reads).toMatchObject({ valueFrom: { secretKeyRef } });
    else
      expect(reads).toMatchObject({
        valueFrom: { secretKeyRef: { name: expect.not.stringMatching(secretKeyRef.name) } },
      });
  });
});
