import { type SecretId, SecretValue } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import { toManagedSecret } from "./managed-secret.ts";
import { describeMisnamed, validateManagedSecret } from "./misnamed-secret.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const key = "u__org__flyte__domain__development__project__shop__key__api-key";
const right = toManagedSecret(id, { value: SecretValue.fromText("canary"), type: "generic" }, "flyte");
const { name } = right.metadata;
const named = (other: string): KubeSecret => ({ ...right, metadata: { ...right.metadata, name: other } });
const withData = (data: Record<string, string>): KubeSecret => ({ ...right, data });

test("the remedy for a Secret of the wrong name is the right one, with or without labels", () => {
  const misfit = { what: `its data key ${key} belongs into a Secret named ${name}`, remedy: `name it ${name}` };
  expect(validateManagedSecret(named("api-key"))).toEqual(misfit);
  expect(validateManagedSecret({ ...right, metadata: { name: "api-key" } })).toEqual(misfit);
  // The MD5 of something else: a scope with a typo, or a line feed at the end.
  expect(validateManagedSecret(named("0123456789abcdef0123456789abcdef"))).toEqual(misfit);
});

test.each([
  [{}, "it has no data"],
  [{ "api-key": "dg==" }, 'its data key "api-key" is no encoded id'],
  [{ "api-key": "dg==", other: "dg==" }, 'its data keys "api-key" and 1 more are no encoded id'],
  [{ "u__org__flyte__key__api-key": "dg==" }, 'its data key "u__org__flyte__key__api-key" is no encoded id'],
  [
    { u__org__flyte__domain____project__shop__key__k: "" },
    'its data key "u__org__flyte__domain____project__shop__key__k" is no encoded id',
  ],
])("a managed Secret with the data %j is told what its data key says", (data, what) => {
  expect(describeMisnamed(withData(data))).toEqual({
    what,
    remedy: "flyte-secrets name KEY -p PROJECT -d DOMAIN prints the name and the data key that it needs",
  });
});

test("labels that are missing or of another scope are reported, because a secret without them is not listed", () => {
  const labels = { "app.flyte.org/managed": "true", "app.flyte.org/domain": "production", team: "payments" };
  expect(validateManagedSecret({ ...right, metadata: { ...right.metadata, labels } })).toEqual({
    what: "it is found by its name, but not listed, for want of labels",
    remedy: "label it app.flyte.org/domain=development app.flyte.org/project=shop",
  });
});

test("a valid Secret, and one that is not meant to hold a secret, is not reported", () => {
  expect(validateManagedSecret(right)).toBeUndefined();
  expect(validateManagedSecret({ ...right, metadata: { name: "tls" }, data: { "tls.key": "dg==" } })).toBeUndefined();
  // The webhook's own have encoded ids for keys too.
  expect(validateManagedSecret({ ...named(`flyte-secrets-${"a".repeat(32)}`) })).toBeUndefined();
});

test("no value is reported, and many long keys are cut", () => {
  const keys = Array.from({ length: 20_000 }, (_, at) => [`${"k".repeat(240)}${at}`, "Y2FuYXJ5"]);
  const text = JSON.stringify(validateManagedSecret(withData(Object.fromEntries(keys))));
  expect(text).not.toMatch(/canary|Y2FuYXJ5/);
  expect(text.length).toBeLessThan(400);
});
