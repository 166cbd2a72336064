import { encodeSecretId, kubernetesSecretName, type SecretId, SecretValue } from "@flyte-secrets/core";
import type { KubeSecret } from "@flyte-secrets/kube";
import { expect, test } from "vitest";
import { WatchedSecrets } from "./watched-secrets.ts";

const id: SecretId = { org: "flyte", domain: "development", project: "shop", name: "api-key" };
const text = encodeSecretId(id);

function secret(name: string, data?: Record<string, string>): KubeSecret {
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, ...(data && { data }) };
}
const managed = (value: string) => secret(kubernetesSecretName(id), { [text]: Buffer.from(value).toString("base64") });

test("a managed Secret has its value until it is changed or deleted", () => {
  const secrets = new WatchedSecrets();
  secrets.onReplace([managed("old")]);
  expect(secrets.get(text)).toEqual(SecretValue.fromText("old"));
  secrets.onUpsert(managed("new"));
  expect(secrets.get(text)).toEqual(SecretValue.fromText("new"));
  secrets.onDelete(managed("new"));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, false]);
});

test("a Secret that is missing from a new list is forgotten", () => {
  const secrets = new WatchedSecrets();
  secrets.onUpsert(managed("old"));
  secrets.onUpsert(secret(kubernetesSecretName({ ...id, name: "other" })));
  secrets.onReplace([]);
  expect([secrets.get(text), secrets.isEmpty(encodeSecretId({ ...id, name: "other" }))]).toEqual([undefined, false]);
});

test("a Secret with the name of a managed one but without its data key is empty, until it gets the key or is deleted", () => {
  const secrets = new WatchedSecrets();
  const name = kubernetesSecretName(id);
  secrets.onUpsert(secret(name, { other: "eA==" }));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, true]);
  secrets.onUpsert(managed("v"));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([SecretValue.fromText("v"), false]);
  secrets.onUpsert(secret(name));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, true]);
  secrets.onDelete(secret(name));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, false]);
});

test("a Secret of another name that holds an encoded id is ignored", () => {
  const secrets = new WatchedSecrets();
  const value = Buffer.from("v").toString("base64");
  secrets.onUpsert(secret("app-config", { [text]: value }));
  secrets.onUpsert(secret("0".repeat(32), { [text]: value }));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([undefined, false]);
});

test("an empty value is a value", () => {
  const secrets = new WatchedSecrets();
  secrets.onUpsert(managed(""));
  expect([secrets.get(text), secrets.isEmpty(text)]).toEqual([SecretValue.fromText(""), false]);
});

test("what was read directly is stale until the watch delivers it: a newer state, one not seen before, and that there is none", () => {
  const secrets = new WatchedSecrets();
  const name = kubernetesSecretName(id);
  const at = (resourceVersion: string) => ({ ...managed(resourceVersion), metadata: { name, resourceVersion } });
  secrets.onUpsert(at("8"));
  expect(secrets.isStale(text)).toBe(false);
  secrets.recordRead(name, at("11"), secrets.beginRead());
  // An older answer that arrives later.
  secrets.recordRead(name, at("9"), secrets.beginRead());
  expect(secrets.isStale(text)).toBe(true);
  secrets.onUpsert(at("10"));
  expect(secrets.isStale(text)).toBe(true);
  secrets.onUpsert(at("11"));
  expect(secrets.isStale(text)).toBe(false);
  secrets.recordRead(name, undefined, secrets.beginRead());
  expect(secrets.isStale(text)).toBe(true);
  secrets.onDelete(at("12"));
  expect(secrets.isStale(text)).toBe(false);
  secrets.recordRead(name, at("13"), secrets.beginRead());
  expect(secrets.isStale(text)).toBe(true);
  secrets.onReplace([at("14")]);
  expect(secrets.isStale(text)).toBe(false);
});

test("a changed secret is stale until it was read after the change and the watch has delivered that state", () => {
  const secrets = new WatchedSecrets();
  const name = kubernetesSecretName(id);
  const at = (resourceVersion: string) => ({ ...managed(resourceVersion), metadata: { name, resourceVersion } });
  secrets.onUpsert(at("8"));
  const before = secrets.beginRead();
  secrets.markStale(text);
  secrets.onUpsert(at("8"));
  secrets.recordRead(name, at("8"), before);
  expect(secrets.isStale(text)).toBe(true);
  secrets.recordRead(name, at("9"), secrets.beginRead());
  expect(secrets.isStale(text)).toBe(true);
  secrets.onUpsert(at("9"));
  expect(secrets.isStale(text)).toBe(false);
});

test("at most a thousand changes are remembered without a read", () => {
  const secrets = new WatchedSecrets();
  const ids = Array.from({ length: 1_001 }, (_, n) => encodeSecretId({ ...id, name: `key-${n}` }));
  for (const each of ids) secrets.markStale(each);
  expect(ids.filter((each) => secrets.isStale(each))).toHaveLength(1_000);
  expect(secrets.isStale(ids.at(-1) ?? "")).toBe(true);
});

const named = (name: string, bytes: number): KubeSecret => {
  const each = { ...id, name };
  const data = { [encodeSecretId(each)]: Buffer.alloc(bytes, 65).toString("base64") };
  return secret(kubernetesSecretName(each), data);
};
const idOf = (name: string) => encodeSecretId({ ...id, name });
const isKept = (secrets: WatchedSecrets, name: string) => {
  expect(secrets.isEmpty(idOf(name))).toBe(false);
  expect(secrets.isStale(idOf(name))).toBe(secrets.get(idOf(name)) === undefined);
  return secrets.get(idOf(name)) !== undefined;
};

test("values are kept as long as there is room, large ones leave some for small ones, and the others are always read", () => {
  const secrets = new WatchedSecrets({ maxBytes: 1600 });
  secrets.onUpsert(named("too-large", 101));
  secrets.onUpsert(named("large", 100));
  secrets.onUpsert(named("other", 94));
  secrets.onUpsert(named("small", 10));
  expect(["too-large", "large", "other", "small"].map((name) => isKept(secrets, name))).toEqual([
    false,
    true,
    false,
    true,
  ]);
  secrets.onDelete(named("large", 100));
  secrets.onUpsert(named("other", 94));
  secrets.onUpsert(named("too-large", 1));
  expect(["too-large", "other"].map((name) => isKept(secrets, name))).toEqual([true, true]);
  secrets.onReplace([named("large", 100)]);
  expect(isKept(secrets, "large")).toBe(true);
  expect(secrets.isStale(idOf("other"))).toBe(false);
});

test("of a list no more values are held than there is room for, and none that nobody needs", () => {
  const secrets = new WatchedSecrets({ maxBytes: 1600 });
  const foreign = secret("config", { [text]: "Zm9yZWlnbg==", other: "Zm9yZWlnbg==" });
  for (const _ of ["at first", "again"]) {
    secrets.onList();
    // In base64 a third more.
    const listed = [foreign, named("a", 60), named("b", 75), named("c", 75), named("d", 75)].map(
      secrets.resource.decode,
    );
    expect(JSON.stringify(listed)).not.toContain("Zm9yZWlnbg");
    expect(JSON.stringify(listed).match(/QUFB/g)?.length).toBe(60 / 3);
    secrets.onReplace(listed);
    expect(["a", "b", "c", "d"].map((name) => isKept(secrets, name))).toEqual([true, false, false, false]);
    expect(secrets.misnamed.find(text)).toBe("config");
  }
  secrets.onUpsert(secrets.resource.decode(named("b", 75)));
  expect(isKept(secrets, "b")).toBe(true);
});
