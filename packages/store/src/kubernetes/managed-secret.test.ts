import { encodeSecretId, type SecretId, SecretValue } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import {
  listSelector,
  managedId,
  managedValue,
  toManagedSecret,
  toRecord,
  typeOf,
  withValue,
} from "./managed-secret.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const key = "u__org__flyte__domain__development__project__shop__key__api-key";
const value = SecretValue.fromText("v");
const generic = toManagedSecret(id, { value, type: "generic" }, "flyte");
const imagePull = toManagedSecret(id, { value, type: "image_pull" }, "flyte");

test("a generic secret is what Flyte writes, an image-pull secret has its type beside it", () => {
  expect(generic).toEqual({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: "8de38bbc228c3508ad641656f516642f",
      namespace: "flyte",
      labels: {
        "app.flyte.org/managed": "true",
        "app.flyte.org/domain": "development",
        "app.flyte.org/project": "shop",
      },
    },
    data: { [key]: "dg==" },
  });
  const labels = { ...generic.metadata.labels, "app.flyte.org/secret-type": "image-pull-secret" };
  expect(imagePull).toEqual({ ...generic, metadata: { ...generic.metadata, labels } });
  expect([typeOf(generic), typeOf(imagePull)]).toEqual(["generic", "image_pull"]);
});

test("another value leaves everything of others as it is, and mends the labels", () => {
  const secret: KubeSecret = {
    ...imagePull,
    metadata: {
      ...imagePull.metadata,
      uid: "1",
      resourceVersion: "7",
      annotations: { note: "kept" },
      labels: { "app.flyte.org/secret-type": "image-pull-secret", team: "payments" },
    },
    type: "Opaque",
  };
  expect(withValue(secret, id, SecretValue.fromText("w"))).toEqual({
    ...secret,
    metadata: { ...secret.metadata, labels: { ...imagePull.metadata.labels, team: "payments" } },
    data: { [key]: "dw==" },
  });
});

test("a Secret holds the secret whose id is its data key, if its name belongs to it", () => {
  expect(managedId(generic)).toEqual(id);
  expect(managedId({ ...generic, data: { "tls.key": "eA==", [key]: "dg==" } })).toEqual(id);
  const { data: _, ...empty } = generic;
  expect(managedId(empty)).toBeUndefined();
  expect(managedId({ ...generic, data: { other: "eA==" } })).toBeUndefined();
  expect(managedId({ ...generic, data: { [encodeSecretId({ ...id, name: "other" })]: "dg==" } })).toBeUndefined();
});

test("its value is that of the id's data key alone; an empty one is a value", () => {
  expect(managedValue(generic, id)?.revealText()).toBe("v");
  expect(managedValue({ ...generic, data: { [key]: "" } }, id)?.byteLength).toBe(0);
  expect(managedValue(generic, { ...id, name: "other" })).toBeUndefined();
});

test("the record has what the Secret shows of the secret", () => {
  const metadata = {
    ...imagePull.metadata,
    creationTimestamp: "2026-08-01T10:00:00Z",
    labels: { ...imagePull.metadata.labels, "app.flyte.org/system": "true" },
  };
  expect(toRecord(id, { ...imagePull, metadata }, "one")).toEqual({
    id,
    type: "image_pull",
    createdAt: new Date("2026-08-01T10:00:00Z"),
    system: true,
    clusters: [{ cluster: "one", presence: "present" }],
  });
});

test.each([
  ["", "", true, "app.flyte.org/managed=true"],
  ["", "", false, "app.flyte.org/managed=true,app.flyte.org/system!=true"],
  ["d", "", true, "app.flyte.org/managed=true,app.flyte.org/domain=d"],
  [
    "d",
    "p",
    false,
    "app.flyte.org/managed=true,app.flyte.org/domain=d,app.flyte.org/project=p,app.flyte.org/system!=true",
  ],
])('domain "%s", project "%s", system secrets %s select %s', (domain, project, includeSystem, selector) => {
  expect(listSelector({ scope: { org: "flyte", domain, project }, includeSystem })).toBe(selector);
});
